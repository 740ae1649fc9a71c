"""German: everything customers in Germany, Austria and Switzerland write, and the answers."""

from __future__ import annotations

from deskhand.sandbox.phrasing import Chat, Scenario, Tongue

_HEADS_UP = Scenario(
    key="heads-up",
    inbox=0,
    tags=("heads-up",),
    subjects=("Ihre Bestellung {order} kommt etwas später", "Zu Ihrer {product}"),
    opening=(
        "ich schreibe Ihnen, bevor Sie es tun müssen: Ihre {product} (Bestellung {order}) geht nicht wie versprochen "
        "am {weekday} hinaus. Ein Teil hat unsere Prüfung nicht bestanden, und das nächste braucht ein paar Tage.\n"
        "Der neue Termin ist der {later}. Wenn Ihnen das zu spät ist, sagen Sie es mir bitte, dann finde ich einen "
        "anderen Weg.",
    ),
    ask=(),
    info=("danke für die Warnung. Der {later} ist [in Ordnung|früh genug, es bleibt ja noch hell bis fünf].",),
    fix=("vielen Dank für Ihre Geduld, ist notiert. Sobald das Paket unterwegs ist, hören Sie von uns.",),
)

_SCENARIOS = (
    Scenario(
        key="late parcel",
        inbox=0,
        tags=("late parcel",),
        subjects=("Wo bleibt Bestellung {order}?", "Paket {tracking} bewegt sich nicht", "Lieferung überfällig"),
        opening=(
            'am {date} habe ich eine {product} bestellt (Nr. {order}). Seitdem steht in der Sendungsverfolgung ["wird '
            'sortiert"|"unterwegs"], und ich frage mich, [wonach|wohin]. Könnten Sie bitte einmal nachsehen?',
            "laut {carrier} wurde mein Paket {tracking} beim Nachbarn abgegeben. Ich habe alle drei gefragt. [Einer "
            "hat gar nicht aufgemacht, aber bei dem war es auch dunkel.|Keiner will es gewesen sein.] Was machen wir "
            "nun?",
            "kurze Frage zu Bestellung {order}: Ist die Lampe schon losgeschickt? Sie ist ein Geschenk, und der "
            "Geburtstag ist am {weekday}, [ob sie da ist oder nicht|wie jedes Jahr].",
        ),
        ask=(
            "das tut mir leid. Bevor ich bei {carrier} suchen lasse, zwei Fragen:\n- Stimmt die Adresse {street}, "
            "{city} noch?\n- Lag eine Karte im Briefkasten?\nSobald ich das weiß, mache ich dort Betrieb.",
        ),
        info=(
            "ja, die Adresse stimmt. Keine Karte, kein Paket, [nur Werbung für Taschenlampen|nicht einmal Reklame].",
            "die Adresse ist richtig. Notfalls bitte beim Bäcker im Erdgeschoss abgeben, [der nimmt alles|der ist ab "
            "vier Uhr da].",
        ),
        fix=(
            "das Paket ist gefunden: Es stand [im falschen Wagen|hinter einer Palette Katzenstreu]. Am {weekday} ist "
            "es bei Ihnen, die neue Nummer lautet {tracking}. Die Versandkosten habe ich Ihnen erstattet, denn "
            "bezahlt haben Sie eine Lieferung und bekommen haben Sie Spannung.",
            "{carrier} gibt das Paket verloren, wir nicht: Heute geht eine neue {product} per Express zu Ihnen, "
            "Nummer {tracking}. Taucht die erste doch noch auf, nehmen Sie sie bitte einfach nicht an.",
        ),
    ),
    Scenario(
        key="wrong item",
        inbox=0,
        tags=("wrong item", "return"),
        subjects=(
            "{product} bestellt, {product2} bekommen",
            "{product} in der falschen Farbe ({order})",
        ),
        opening=(
            "heute kam mein Paket zu Bestellung {order}. Darin war eine {product2}. Eine schöne Lampe, nur [bestellt "
            "hatte ich die {product}|leider nicht meine]. Wie tauschen wir?",
            "bestellt hatte ich die {product} in Moosgrün, gekommen ist sie in [Senfgelb|Schwarz|etwas zwischen Beige "
            "und Bedauern]. Auf dem Lieferschein steht es richtig. Ein Foto hängt an.",
        ),
        ask=(
            "das hätte nicht passieren dürfen, bitte entschuldigen Sie. Welche Nummer steht auf dem kleinen Aufkleber "
            "unten am Karton? Dann weiß ich, wer jetzt Ihre Lampe anschaut.",
        ),
        info=("auf dem Aufkleber steht {serial}. Abholen geht jederzeit, [außer {weekday}|vormittags am besten].",),
        fix=(
            "die richtige {product} geht heute hinaus (Nummer {tracking}). Die andere holt {carrier} am {weekday} bei "
            "Ihnen ab; drucken müssen Sie nichts. Falls Sie sie inzwischen liebgewonnen haben: Zum halben Preis "
            "dürfte sie bleiben.",
        ),
        enclosed="photo",
    ),
    Scenario(
        key="refund",
        inbox=0,
        tags=("refund",),
        subjects=("Rücksendung {order}", "Wann kommt die Erstattung über {amount}?"),
        opening=(
            "die {product} aus Bestellung {order} möchte ich gern zurückgeben. Sie ist einwandfrei, aber [zu hoch für "
            "die Nische|von der Tapete nicht zu unterscheiden]. Wie gehe ich vor?",
            "meine Rücksendung zu {order} liegt laut {carrier} seit dem {date} bei Ihnen. Die {amount} sind noch "
            "nicht da. Vermutlich [hängt es nur irgendwo|sammelt die Bank noch]. Sehen Sie bitte nach?",
        ),
        ask=(
            "sehr gern. Haben Sie mit Karte oder per Überweisung bezahlt, und gibt es den Karton noch?",
            "Ihr Paket habe ich hier gefunden, nur lag außer einer Zeichnung kein Zettel darin. War es Bestellung "
            "{order}, und soll das Geld zurück auf dieselbe Karte?",
        ),
        info=(
            "mit Karte. Den Karton gibt es noch, [darin wohnt jetzt allerdings die Katze|etwas verbeult].",
            "ja, {order}, und auf dieselbe Karte bitte. [Die Zeichnung ist von meiner Tochter.|]",
        ),
        fix=(
            "so geht es:\n- Lampe in einen Karton passender Größe legen.\n- Das Etikett aus meiner zweiten Mail "
            "aufkleben.\n- Bis zum {later} bei {carrier} abgeben.\nDas Geld kommt, sobald das Paket dort gescannt ist.",
            "die Erstattung über {amount} ist heute hinausgegangen. Banken brauchen zwei bis fünf Werktage, um das zu "
            "glauben.",
        ),
    ),
    Scenario(
        key="invoice copy",
        inbox=0,
        tags=("invoice",),
        subjects=("Rechnung zu Bestellung {order}", "Bitte Kopie von Rechnung {invoice}"),
        opening=(
            "könnten Sie mir die Rechnung {invoice} über {amount} noch einmal schicken? Das Original [ist dem "
            "Aufräumen zum Opfer gefallen|liegt sehr sicher, nur weiß ich nicht mehr wo].",
            "für die Steuer brauche ich die Rechnung zu {order}, ausgestellt auf {payer}. Das Finanzamt glaubt mir "
            "die Lampe sonst nicht.",
        ),
        ask=(
            "gern. Soll ich das Original unverändert noch einmal schicken, oder darf eine Umsatzsteuernummer dazu?",
            "gern. Soll die Rechnung auf {payer} lauten, oder wie bisher ohne Zusatz?",
        ),
        info=(
            "unverändert, bitte. [Es geht nur um den Ordner.|]",
            "auf {payer}, bitte, {street}, {city}.",
        ),
        fix=(
            'anbei die Rechnung {invoice} als PDF. In Ihrem Konto liegt sie unter "Bestellungen" auch noch einmal, '
            "falls wieder aufgeräumt wird.",
        ),
        sent="invoice",
    ),
    Scenario(
        key="broken part",
        inbox=1,
        tags=("broken part", "spare part"),
        subjects=("Ersatzteil für {product}", "{product} steht nicht mehr gerade", "{product}: Teil locker"),
        opening=(
            "meine {product} ist drei Jahre alt und hat sich nie beschwert. Seit {weekday} ist {part} locker. Gibt es "
            "das einzeln? Die Seriennummer ist {serial}.",
            "beim Umzug hat es bei der {product} etwas erwischt: {part} [knackt|hat einen Riss]. Der Rest ist heil, "
            "[die Möbelpacker auch|die Freundschaft auch]. Kann man das selbst tauschen?",
        ),
        ask=(
            "schön, dass Sie reparieren statt wegwerfen. Schicken Sie mir bitte ein Foto und die Seriennummer unter "
            "dem Fuß? Es gibt zwei Ausführungen, und die vertragen sich nicht.",
        ),
        info=("Foto anbei, die Nummer ist {serial}. Ich lag dafür auf dem Boden, [schöne Aussicht|es staubt dort].",),
        fix=(
            "das Teil ist unterwegs, kostenlos, denn Ihre {product} hat noch Garantie. Ein kleiner Schlüssel liegt "
            "bei. Die Schraube bitte zwei Umdrehungen lösen, nicht drei: Bei drei sagt eine Feder guten Tag.",
            "ich habe das Ersatzteil in einen Brief gesteckt, am {weekday} sollte es da sein. Der Einbau:\n- Stecker "
            "ziehen.\n- Ring unter dem Schirm lösen.\n- Teil tauschen und drehen, bis es klickt.\nKlickt es nicht, "
            "schreiben Sie mir, dann klicken wir gemeinsam.",
        ),
        enclosed="photo",
    ),
    Scenario(
        key="assembly",
        inbox=1,
        tags=("assembly",),
        subjects=(
            "Eine Schraube übrig",
            "Aufbau der {product}: Schritt 4",
        ),
        opening=(
            "ich habe die {product} aufgebaut, und eine Schraube ist übrig. Die Lampe leuchtet, aber [ich traue ihr "
            "nicht|ich schlafe schlecht]. Wohin gehört sie?",
            'in Schritt 4 steht "von links", im Bild ist es von rechts. Ich habe beides versucht, auch [mit '
            "Gefühl|mit Schwung]. Was stimmt?",
        ),
        ask=(
            "schicken Sie mir bitte ein Foto von der Schraube, am besten neben einer Münze? Dann sehe ich, welche "
            "Ausführung Sie haben.",
            "wie viele Löcher hat das Teil bei Ihnen, zwei oder drei? Davon hängt alles ab.",
        ),
        info=(
            "Foto anbei. Die Münze ist nur für den Maßstab, [nicht für Sie|die bleibt hier].",
            "drei. Meine Frau hat nachgezählt und kommt auch auf drei.",
        ),
        fix=(
            "Sie haben alles richtig gemacht: In jedem Beutel ist eine Schraube mehr, für den Teppich. Die Anleitung "
            "hänge ich trotzdem an.",
            "es geht von links, das Bild ist falsch. Wir entschuldigen uns dafür seit dem Frühjahr. Das berichtigte "
            "Blatt hängt an.",
        ),
        sent="sheet",
        enclosed="photo",
    ),
    Scenario(
        key="price list",
        inbox=2,
        tags=("wholesale", "price list"),
        subjects=("Preisliste für Wiederverkäufer", "{organization}: Händlerkonditionen"),
        opening=(
            "wir sind {organization} in {city} und würden Ihre Lampen gern führen. Schicken Sie uns bitte Preisliste "
            "und Mindestmenge? [Unser Laden ist klein, das Schaufenster groß.|]",
            "für unsere neuen Räume brauchen wir {qty} {product}, alle in einer Farbe, bis {later}. Der Architekt "
            "nennt das Datum fest. Was kostet das?",
        ),
        ask=("wie schön. Nennen Sie mir bitte Ihre Umsatzsteuernummer und ungefähr die Stückzahl im Monat?",),
        info=("etwa {qty} im Monat, im Herbst mehr. Die Nummer steht im Anhang, sobald ich ihn finde.",),
        fix=(
            "anbei die Liste, gültig bis {later}. Kurz gesagt: 30 % ab 10 Lampen, 38 % ab 40, frei Haus ab {amount}. "
            "Die erste Bestellung darf klein sein, wir waren es auch.",
        ),
        sent="prices",
    ),
)

GERMAN = Tongue(
    code="de",
    tag="german",
    months=(
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ),
    weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    date="{day}. {month}",
    money="{whole},{cents} €",
    parts=("die Fassung", "das Gelenk", "die Abdeckung", "das Gegengewicht", "die Klemme"),
    dear="[Guten Tag {first} {last}|Hallo {first}],",
    dear_nobody="Guten Tag,",
    hello=("Guten Tag,", "Hallo,", "Liebes Lampen-Team,", "Sehr geehrte Damen und Herren,", "Guten Morgen,"),
    bye=(
        "Viele Grüße",
        "Mit freundlichen Grüßen",
        "Schöne Grüße aus {city}",
        "Beste Grüße",
        "[Besten Dank|Danke] im Voraus",
    ),
    regards=("Herzliche Grüße", "Viele Grüße aus der Werkstatt", "Freundliche Grüße"),
    wrote="Am {date} schrieb {staff}:",
    phone_line="Vom Telefon gesendet.",
    thanks=(
        "[prima|wunderbar|großartig], vielen Dank für die schnelle Hilfe!",
        "herzlichen Dank, {staff}. So freundlich wurde mir [lange nicht|noch von keinem Lampengeschäft] geantwortet.",
        "damit ist alles geklärt, vielen Dank. [Das ging ja schneller als der Wasserkocher.|]",
    ),
    delighted=(
        "es hat geklappt, die Lampe leuchtet. [Die Katze ist einverstanden.|Mein Mann sagt, sie sei schon immer da "
        "gewesen.]",
        "sie leuchtet! [Wir haben den ganzen Abend ein- und ausgeschaltet.|Die Nachbarn sind informiert.] Vielen "
        "Dank, {staff}.",
    ),
    grumble=(
        "danke für die Antwort, nur ist seitdem nichts geschehen. Könnte sich das bitte jemand richtig ansehen?",
        "ehrlich gesagt bin ich etwas enttäuscht. Ich habe zu {order} nun zweimal geschrieben und bin so klug wie "
        "zuvor.",
    ),
    failed=(
        "es hat leider nicht funktioniert, auch beim dritten Mal nicht, [auch nicht bei Tageslicht|und ich habe es "
        "gelesen]. Langsam wird das eine Brieffreundschaft.",
        "es hat leider einen Tag gehalten, dann fiel die Lampe in alte Gewohnheiten zurück. Was kann ich noch "
        "versuchen?",
    ),
    soothe=(
        "Sie haben recht, und es tut mir leid. Die Sache bleibt jetzt auf meinem Tisch: Bis {weekday} schreibe ich "
        "Ihnen, mit einem Ergebnis oder mit einem ehrlichen Grund. {credit} habe ich Ihnen gutgeschrieben, für die "
        "Nerven.",
    ),
    nudge=(
        "ich wollte nur freundlich an meine Mail vom {asked} erinnern. [Lampen machen sich ja nicht von selbst.|]",
        "gibt es schon etwas Neues? Ich will nicht drängen, ich will nur Licht.",
    ),
    again=(
        "ich bin es noch einmal, zu Bestellung {order}. Alles war gut, bis gestern: Jetzt [summt|klickt] die Lampe, "
        "wenn sie warm wird. Ist das normal, oder singt sie?",
        "noch eine Frage zur selben Bestellung: Könnte ich eine zweite {product} im genau gleichen Ton bekommen? Die "
        "erste wirkt einsam.",
        "wir sind umgezogen, und die {product} mit uns. Die neuen Steckdosen liegen alle hinter dem Klavier. Gibt es "
        "ein längeres Kabel?",
        "nach Bestellung {order} hätte ich gern noch zwei {product}, als Geschenke. Geht das vor den Feiertagen?",
    ),
    back=(
        "schön, wieder von Ihnen zu hören. Bestellung {order} liegt vor mir, Sie müssen also nichts zweimal erklären. "
        "Ich brauche nur ein Foto vom Schild unter dem Fuß, dann bereite ich alles vor.",
    ),
    great=("Schnell und freundlich.", "So wünscht man sich das.", ""),
    okay=("Am Ende gut, aber es hat gedauert.",),
    not_good=("Musste zweimal fragen.",),
    heads_up=_HEADS_UP,
    scenarios=_SCENARIOS,
    chats=(
        Chat(
            1,
            ("bulbs",),
            "Chat: Leuchtmittel für {product}",
            (
                "C Hallo, passt in die {product} E27 oder E14?",
                "S Guten Tag, E27, höchstens 8 Watt.",
                "C Das ging schnell.",
                "S Wir haben die Antwort immer griffbereit, gleich neben dem Tee.",
                "C Dann guten Appetit. Danke!",
            ),
        ),
        Chat(
            0,
            ("late parcel",),
            "Chat: mein Paket",
            (
                "C Ist da ein Mensch?",
                "S Ja, {staff}. Womit kann ich helfen?",
                "C Paket {tracking} steht seit dem {date} still.",
                "S Es hing an der Hausnummer. Am {weekday} ist es bei Ihnen.",
                "C Sehr gut, danke.",
            ),
        ),
    ),
)
