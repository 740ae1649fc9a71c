"""What somebody wrote is told apart from the history below it, in the forms of sixteen mail programs."""

from __future__ import annotations

import re

import pytest

from deskhand.mail.languages import WITHIN, WITHIN_WORDS
from tests.mail.mutations import originals
from tests.mail.reading import HISTORY, fixture, html, mail

# What was written, of each answer of the fixtures that has a history below it.
WRITTEN = {
    "gmail-web": "It came this morning, thank you!\n\nMara",
    "gmail-app": "Ist da, danke!",
    "outlook-desktop": "Sehr geehrte Frau Holm,\n\ndas Paket ist da, schönen Dank.\n\n"
    "Mit freundlichen Grüßen\n\nPaul Grün",
    "outlook-desktop-text": "The parcel is here, many thanks.\n\nPaul",
    "outlook-web": "Le colis est arrivé, merci.\n\nChloé Petit",
    "outlook-mobile": "Got it, cheers.\n\nGet Outlook for iOS (https://aka.ms/o0ukef)",
    "apple-mail": "Den är här nu. Tack!\n\nNina",
    "ios-mail": "Ya llegó, gracias.\n\nEnviado desde mi iPhone",
    "thunderbird": "È arrivato, grazie!\n\n--\nPiero Conti",
    "thunderbird-flowed": "This line is long, so that the program has broken it where a space was, "
    "and it goes on here.\n>this one only looks like a quote\n\n--\nPiero Conti",
    "yahoo": "Here it is, thanks.\nTess",
    "yahoo-text": "Here it is, thanks.\nTess",
    "proton": "Arrived, thank you.\n\nNoor\nSent with Proton Mail (https://proton.me/mail/home) secure email.",
    "gmx": "Ist da!\nJana",
    "webde-text": "Ist da!\n\nJana",
    "samsung": "Chegou, obrigado.\n\nEnviado do meu Galaxy",
    "k9": "Binnen, bedankt!",
    "fairemail": "Binnen, bedankt!\n\nBram",
    "zoho": "Received, thanks.\nAsha",
    "mutt": "Arrived, thanks.\n\nOle",
    "notes": "Das Paket ist da.\n\nGrüße, Inge Falk",
    "notes-text": "The parcel is here.\n\nInge Falk",
    "japanese": "届きました。ありがとうございます。",
    "japanese-mail-of": "届きました。\n\niPhoneから送信",
    "french-text": "Bien reçu, merci.\n\nLuc",
    "portuguese-text": "Chegou, obrigada!",
}
BETWEEN = {
    "gmail-interleaved": "On Mon, Nov 23, 2026 at 10:12 AM Desk Help <help@desk.example> wrote:\n\n"
    "> Which size?\n\nLarge, please.\n\n> Which colour?\n\nGreen.",
    "mutt-interleaved": "On Mon, Nov 23, 2026 at 10:12:00AM +0100, Desk Help wrote:\n"
    "> Which size?\n\nLarge, please.\n\n> Which colour?\n\nGreen.",
}


def test_every_answer_of_the_fixtures_is_told_apart_somewhere():
    names = {name.removeprefix("replies/") for name in originals() if name.startswith("replies/")}
    assert names == WRITTEN.keys() | BETWEEN.keys()


@pytest.mark.parametrize("name", WRITTEN)
def test_the_history_goes_and_what_was_written_stays_whole(name: str):
    incoming = fixture(f"replies/{name}")
    assert incoming.text == WRITTEN[name]
    assert HISTORY in incoming.quoted
    assert HISTORY not in incoming.html
    assert incoming.faults == ()


@pytest.mark.parametrize("name", BETWEEN)
def test_answers_between_quotations_stay_with_them(name: str):
    incoming = fixture(f"replies/{name}")
    assert (incoming.text, incoming.quoted) == (BETWEEN[name], "")


@pytest.mark.parametrize("name", ["forwarded-gmail", "forwarded-outlook", "forwarded-apple"])
def test_a_mail_that_was_passed_on_stays(name: str):
    incoming = fixture(f"others/{name}")
    assert "Can you look at this?" in incoming.text
    assert HISTORY in incoming.text
    assert incoming.quoted == ""


@pytest.mark.parametrize(
    "attribution",
    [
        "On Mon, 23 Nov 2026 at 10:12, Ada Holm <ada@desk.example> wrote:",
        "On Mon, 23 Nov 2026 at 10:12, Ada Holm\n<ada@desk.example> wrote:",
        "On Monday, November 23, 2026\nat 10:12 AM, Ada Holm wrote:",
        "Am 23.11.26 um 10:12 schrieb Ada Holm:",
        "Am Mo., 23. Nov. 2026 um 10:12 Uhr schrieb Ada Holm\n<ada@desk.example>:",
        "Le 23/11/2026 à 10:12, Ada Holm a écrit :",
        "El lun, 23 nov 2026 a las 10:12, Ada Holm (<ada@desk.example>) escribió:",
        "Em 23/11/2026 10:12, Ada Holm escreveu:",
        "Il giorno lun 23 nov 2026 alle ore 10:12 Ada Holm <ada@desk.example> ha scritto:",
        "Op ma 23 nov 2026 om 10:12 schreef Ada Holm <ada@desk.example>:",
        "Den mån 23 nov. 2026 kl 10:12 skrev Ada Holm <ada@desk.example>:",
        "ma 23. marrask. 2026 klo 10.12 Ada Holm (ada@desk.example) kirjoitti:",
        "pon., 23 lis 2026 o 10:12 Ada Holm <ada@desk.example> napisał(a):",
        "po 23. 11. 2026 v 10:12 odesílatel Ada Holm <ada@desk.example> napsal:",
        "пн, 23 нояб. 2026 г. в 10:12, Ada Holm <ada@desk.example>:",
        "23.11.2026 10:12, Ada Holm пишет:",
        "Ada Holm <ada@desk.example>, 23 Kas 2026 Pzt, 10:12 tarihinde şunu yazdı:",
        "2026年11月23日(月) 10:12 Ada Holm <ada@desk.example>:",
        "Ada Holm <ada@desk.example> 于2026年11月23日周一 10:12写道：",
        "2026년 11월 23일 (월) 오전 10:12, Ada Holm <ada@desk.example>님이 작성:",
        "* Ada Holm <ada@desk.example> [2026-11-23 10:12]:",
    ],
)
def test_who_wrote_it_is_told_in_many_languages(attribution: str):
    incoming = mail(f"Thanks!\n\n{attribution}\n\n> {HISTORY}\n>\n> Ada\n", subject="Re: Order")
    assert (incoming.text, HISTORY in incoming.quoted) == ("Thanks!", True)


@pytest.mark.parametrize(
    "block",
    [
        "From: Ada <ada@desk.example>\nSent: Monday\nTo: Paul\nSubject: Order",
        "________________\nFrom: Ada <ada@desk.example>\nSent: Monday\nTo: Paul\nCc: Eve\nSubject: Order",
        "Von: Ada [mailto:ada@desk.example]\nGesendet: Montag\nAn: Paul\nBetreff: Order",
        "De : Ada\nEnvoyé : lundi\nÀ : Paul\nObjet : Order",
        "De: Ada\nEnviado el: lunes\nPara: Paul\nAsunto: Order",
        "Da: Ada\nInviato: lunedì\nA: Paul\nOggetto: Order",
        "Van: Ada\nVerzonden: maandag\nAan: Paul\nOnderwerp: Order",
        "Från: Ada\nSkickat: måndag\nTill: Paul\nÄmne: Order",
        "Od: Ada\nWysłano: poniedziałek\nDo: Paul\nTemat: Order",
        "От: Ada\nОтправлено: понедельник\nКому: Paul\nТема: Order",
        "差出人: Ada\n送信日時: 月曜日\n宛先: Paul\n件名: Order",
        "发件人: Ada\n发送时间: 星期一\n收件人: Paul\n主题: Order",
        "*From:* Ada <ada@desk.example>\n*Sent:* Monday\n*To:* Paul\n*Subject:* Order",
        "-----Ursprüngliche Nachricht-----\nVon: Ada",
        "-------- Message d'origine --------\nDe : Ada",
        "-----Oorspronkelijk bericht-----",
    ],
)
def test_a_block_of_header_lines_begins_the_history(block: str):
    incoming = mail(f"Thanks!\n\n{block}\n\n{HISTORY}\n", subject="Re: Order")
    assert (incoming.text, HISTORY in incoming.quoted) == ("Thanks!", True)


@pytest.mark.parametrize(
    "body",
    [
        "My colleague wrote:\nit does not start.",
        "On Monday I wrote to you: nothing happened.\n\nPlease help.",
        "The program says:\n> error 17\nWhat is that?",
        "From: Berlin\nTo: Rome\nDate: 3 May\n\nHow much is it?",
        "a > b\n\nTo: everybody",
        "---------- Forwarded message ---------\nFrom: Shop <shop@buyer.example>\nDate: today\nSubject: Order\n\nBuy!",
        "From: Ada <ada@desk.example>\nSent: Monday\nTo: Paul\nSubject: Order\n\nnothing but history",
        "On 23 Nov 2026, Ada Holm <ada@desk.example> wrote:\n> nothing but history",
        "> nothing but history\n> in two lines",
    ],
)
def test_what_only_looks_like_history_stays(body: str):
    incoming = mail(body, subject="Question")
    assert incoming.quoted == ""
    assert [line.strip() for line in incoming.text.split("\n")] == [line.strip() for line in body.split("\n")]


HEADER_BLOCK = "From: Ada <ada@desk.example>\nSent: Monday\nTo: Paul\nSubject: Order"


@pytest.mark.parametrize(
    "body",
    [
        "Here is my order:\n\nFrom: Paul <paul@buyer.example>\nDate: 3 May\nTo: shop\nSubject: Order 7\n\nCancel it.",
        "Von: Berlin\nNach: Rom\nDatum: 3. Mai\nBetreff: Flug\n\nBitte buchen, und ein Hotel.",
        "From the form\n\nFrom: Paul <paul@buyer.example>\nSubject: Cup\nDate: 2026-11-23\nMessage:\nIt is broken",
        "Hi,\n\nOn 12.11.2026 ada@desk.example wrote:\n\nIt comes on Monday.\n\nBut it did not. Where is it?",
        "The log:\n\nDate: 2026-11-23\nFrom: root@box.example\nSubject: cron\nTo: root\n\nerror 17\n\nWhat to do?",
        "Hi,\n\n-----Original Message-----\nis what it says on the cup.",
        f"Please handle\n\n{HEADER_BLOCK}\n\nOrder 17: 3 cups",
    ],
)
def test_a_mail_that_answers_none_has_no_history(body: str):
    assert mail(body, subject="Question").quoted == ""


@pytest.mark.parametrize("subject", ["Fwd: Order", "[EXT] FW: Order", "[EXTERN] [#17] WG: Order", "TR : Order"])
def test_what_was_passed_on_stays_though_its_header_follows_another(subject: str):
    incoming = mail(f"Please handle\n\n{HEADER_BLOCK}\n\n3 cups", "References: <a@x.example>", subject=subject)
    assert ("3 cups" in incoming.text, incoming.quoted) == (True, "")


@pytest.mark.parametrize(
    "body",
    [
        "I did this:\n\n> opened the app\n> clicked on save\n> got error 17",
        "Das habe ich getippt：\n> select 1;\n\n-- \nPaul",
    ],
)
def test_what_an_answer_introduces_stays(body: str):
    assert mail(body, "Content-Type: text/plain; charset=utf-8", subject="Re: Order").quoted == ""


def test_what_an_answer_introduces_stays_in_html_too():
    page = "<p>Your site says:</p><blockquote cite='https://desk.example/terms'>No returns</blockquote>"
    assert html(page, subject="Re: Order").quoted == ""


@pytest.mark.parametrize(
    "written",
    [
        "Please see my answers below.", "My comments are in red", "Hi Ada, replies inline.", "See below",
        "Answers in-line", "Siehe unten", "Meine Antworten stehen unten im Text", "Antworten in Rot",
        "Voir mes réponses ci-dessous",
        "Mes commentaires en rouge", "Mis respuestas abajo", "Respuestas en rojo", "Le mie risposte in rosso",
        "Vedi sotto", "Zie hieronder", "Mijn antwoorden in het rood", "Respostas abaixo", "Se mina svar nedan",
        "Se svar nedenfor", "Odpowiedzi poniżej", "Ответы ниже", "回答は下記の通りです", "请见下面的回复",
    ],
)  # fmt: skip
def test_answers_that_are_said_to_stand_in_the_history_are_not_taken_away_with_it(written: str):
    body = f"{written}\n\n{HEADER_BLOCK}\n\nWhich size?\n[Paul] Large please\nWhich colour?\n[Paul] Green"
    incoming = mail(body, "Content-Type: text/plain; charset=utf-8", subject="RE: Order")
    assert ("Large please" in incoming.text, incoming.quoted) == (True, "")


def test_an_answer_of_only_what_the_telephone_adds_keeps_its_history():
    body = "Sent from my iPhone\n\nOn 23 Nov 2026, Ada <ada@desk.example> wrote:\n> Which size? Large!"
    assert "Large!" in mail(body, subject="Re: Order").text


def test_new_text_below_a_quotation_keeps_both():
    incoming = mail(
        "On 23 Nov 2026, Ada <ada@desk.example> wrote:\n> Which size?\n\nLarge.\n\n-- \nPaul", subject="Re: x"
    )
    assert "Which size?" in incoming.text
    assert incoming.quoted == ""


def test_a_quotation_above_an_answer_stays_and_the_history_below_goes():
    body = f"> Which size?\n\nLarge.\n\nOn 23 Nov 2026, Ada <ada@desk.example> wrote:\n> {HISTORY}\n> Which size?"
    incoming = mail(body, subject="Re: x")
    assert incoming.text == "> Which size?\n\nLarge."


def test_an_unmarked_quotation_at_the_end_is_history_only_in_an_answer():
    body = "Thanks.\n\n> Which size?\n"
    assert mail(body, subject="Re: size").text == "Thanks."
    assert mail(body, subject="Size").text == "Thanks.\n\n> Which size?"


def test_a_paragraph_that_is_only_indented_stays():
    incoming = html("<p>The terms say:</p><blockquote>no returns</blockquote>", subject="Re: x")
    assert incoming.text == "The terms say:\n\n> no returns"
    assert incoming.quoted == ""


def test_text_that_was_only_given_line_breaks_has_a_history_too():
    body = f"Thanks!<br><br>On 23 Nov 2026, Ada &lt;ada@desk.example&gt; wrote:<br>&gt; {HISTORY}<br>&gt; Ada"
    assert html(body, subject="Re: Order").text == "Thanks!"


def test_a_picture_is_an_answer_too():
    incoming = html(
        f'<img src="https://buyer.example/a.png"><blockquote type="cite">{HISTORY}</blockquote>', subject="Re: x"
    )
    assert "<img" in incoming.html
    assert HISTORY in incoming.quoted


def test_the_report_of_a_server_stays_whole():
    incoming = fixture("bounces/exim")
    assert HISTORY in incoming.text


def test_words_that_name_a_place_are_those_of_the_expression() -> None:
    for word in WITHIN_WORDS:
        assert re.fullmatch(WITHIN, word, re.IGNORECASE), word
    assert len(WITHIN_WORDS) == len(set(WITHIN_WORDS))
    assert all(word == word.lower().strip() for word in WITHIN_WORDS)
