"""What happens to conversations at a set time: snoozes that end, drafts that go out."""
