"""What mail programs write by themselves around what people write, in the languages in which they are sold.

Each is a list of phrases as they stand, without regard to case, as one expression that matches any of them.
"""

from __future__ import annotations

import re


def _any_of(phrases: str) -> str:
    """Phrases that stand between bars, the longest first."""
    listed = {" ".join(one.split()) for one in phrases.split("|")}
    return "(?:" + "|".join(re.escape(one) for one in sorted(listed, key=lambda one: (-len(one), one))) + ")"


_WROTE = _any_of("""
    wrote|writes|schrieb|schreibt|a écrit|à écrit|écrit|escribió|escribe|va escriure|escribiu|idatzi du|escreveu
    |ha scritto|scrive|schreef|geschreven|skrev|skreiv|skrifaði|kirjoitti|kirjutas|rakstīja|rašė|parašė|napisał
    |napisała|napsal|napsala|napísal|napísala|je napisal|je napisao|je napisala|napisao|написал|написала|пишет
    |писал|писала|пише|написав|έγραψε|yazdı|írta|a scris|đã viết|menulis|כתב|כתבה|كتب|เขียนว่า
""")
WROTE = rf"\b{_WROTE}\b|{_any_of('写道|寫道|님이 작성|작성:|のメール|のメッセージ|さんが書きました|は書きました')}"
"""The verb of the line that tells who wrote what is quoted below."""

ORIGINAL = _any_of("""
    original message|original-message|originalmessage|original email|original e-mail|originalnachricht
    |original-nachricht|originalmeddelande|original meddelande|original meddelelse|ursprüngliche nachricht
    |urspruengliche nachricht|ursprungliche nachricht|ursprüngliche mail|ursprüngliche e-mail|message d'origine
    |message d’origine|message original|message initial|mensaje original|missatge original|mensagem original
    |messaggio originale|oorspronkelijk bericht|ursprungligt meddelande|oprindelig meddelelse|oprindelig besked
    |opprinnelig melding|alkuperäinen viesti|wiadomość oryginalna|oryginalna wiadomość|původní zpráva
    |původní e-mail|pôvodná správa|исходное сообщение|оригинальное сообщение|вихідне повідомлення|eredeti üzenet
    |orijinal mesaj|orijinal ileti|mesaj original|izvorna poruka|izvirno sporočilo|αρχικό μήνυμα|reply message
    |元のメッセージ|原始邮件|原始郵件|원본 메시지|원본 이메일
""")
"""What stands between dashes above a mail that is answered."""

_ANSWERS = _any_of("""
    see|answer|reply|replies|response|responses|respond|responded|comment|remark|siehe|antwort|anmerkung|kommentar
    |bemerkung|voir|voyez|réponse|commentaire|remarque|ver|véase|respuesta|comentario|veja|resposta|comentário|vedi
    |rispost|comment|zie|antwoord|opmerking|reactie|se|svar|odpowied|komentarz|uwag|viz|odpověd|ответ|см|комментар
    |відповід|див
""")
ANSWERS = rf"(?:\b{_ANSWERS}\w*|回答|返信|コメント|回复|答复|回覆|回復|请见|請見|답변)"
"""What people say that their answers are, or that one is to look for."""

_PLACES = """
    below|inline|in-line|in line|in red|in blue|in green|in bold|in colour|in color|in the text|between the lines
    |unten|unterhalb|in rot|in blau|in grün|rot markiert|im text|dazwischen|ci-dessous|ci-après|plus bas|en rouge
    |en bleu|en vert|en gras|dans le texte|abajo|a continuación|en rojo|en azul|en verde|en el texto|abaixo|a seguir
    |em vermelho|em azul|em verde|no texto|sotto|di seguito|in rosso|in blu|in verde|nel testo|hieronder|in het rood
    |in het blauw|in het groen|nedan|nedenfor|i rött|i rødt|med rött|med rødt|poniżej|na czerwono|níže|červeně|ниже
    |красным|в тексте|нижче|червоним
"""
_PLACES_WITHOUT_SPACES = "下記|以下|文中|赤字|下面|下文|红字|紅字|아래"
WITHIN = rf"(?:\b{_any_of(_PLACES)}\b|{_PLACES_WITHOUT_SPACES})"
"""Where they say that these stand: in what they answer."""
WITHIN_WORDS = tuple(" ".join(one.split()) for one in f"{_PLACES}|{_PLACES_WITHOUT_SPACES}".split("|"))
"""The same one by one: looking for each in a text takes a tenth of the time, and most texts have none."""

ADDED = _any_of("""
    sent from my|sent from yahoo mail|sent from outlook|sent from mail for windows|sent with proton mail
    |get outlook for|gesendet von|von meinem iphone gesendet|von meinem ipad gesendet|diese nachricht wurde von
    |envoyé de mon|envoyé depuis|enviado desde mi|enviado desde|enviado do meu|enviado de|inviato da|inviato dal mio
    |verzonden vanaf|verstuurd vanaf|skickat från|sendt fra|lähetetty|wysłane z|odesláno z|отправлено с
    |iphoneから送信|ipadから送信|发自我的|從我的
""")
"""What telephones put below what was written."""

FORWARDED = _any_of("""
    forwarded message|forwarded by|forwarded from|forwarded mail|weitergeleitete nachricht
    |weitergeleitete e-mail|weitergeleitete mail|weitergeleitet von|message transféré|courriel transféré
    |transféré par|mensaje reenviado|missatge reenviat|mensagem encaminhada|messaggio inoltrato|inoltrato da
    |doorgestuurd bericht|vidarebefordrat meddelande|videresendt meddelelse|videresendt melding
    |videresendt e-mail|välitetty viesti|edelleenlähetetty viesti|wiadomość przekazana|przekazana wiadomość
    |přeposlaná zpráva|пересылаемое сообщение|пересылаемое письмо|переадресоване повідомлення|továbbított levél
    |továbbított üzenet|iletilen mesaj|iletilen ileti
    |转发的邮件|转发邮件|轉寄郵件|転送メッセージ|전달된 메시지|전달된 메일
""")
"""What stands between dashes above a mail that is passed on."""

FORWARD_BEGINS = _any_of("""
    begin forwarded message|anfang der weitergeleiteten nachricht|début du message transféré
    |début du message réexpédié|inicio del mensaje reenviado|início da mensagem encaminhada
    |início da mensagem reencaminhada|inizio messaggio inoltrato|begin doorgestuurd bericht|vidarebefordrat brev
    |start på videresendt besked|välitetty viesti alkaa|początek przekazywanej wiadomości
    |начало переадресованного сообщения|下面是被转发的邮件|転送されたメッセージ
""")
"""What stands with a colon above a mail that is passed on."""

FORWARD_PREFIX = _any_of(
    "fw|fwd|wg|tr|rv|enc|i|fs|vs|vb|vl|doorst|wtr|pd|přeposláno|İlt|ilt|továbbítás|λπ|转发|轉寄|转寄"
)
"""What a subject begins with that is passed on. Where it means an answer in another language, it is left as this."""

ANSWER_PREFIX = _any_of("re|aw|ant|antw|antwort|sv|r|rif|odp|res|resp|vá|ynt|betr|回复|回覆|答复")
"""What a subject begins with that is answered."""

AWAY = _any_of("""
    automatic reply|automatic response|auto reply|auto-reply|autoreply|auto response|auto-response|autoresponse
    |autoresponder|auto responder|auto-responder|out of office|out of the office|ooo|away from my mail
    |automatische antwort|abwesenheitsnotiz|abwesenheitsmeldung|abwesenheitsassistent|abwesend
    |réponse automatique|absence du bureau|absent du bureau|respuesta automática|fuera de la oficina
    |fuera de oficina|resposta automática|risposta automatica|fuori sede|automatisch antwoord|afwezig
    |afwezigheid|autosvar|automatiskt svar|automatisk svar|automaattinen vastaus|odpowiedź automatyczna
    |automatická odpověď|automatická odpoveď|автоматический ответ|автоответ
    |自動応答|自動返信|自动答复|自動回覆|자동 회신
""")
"""What the subject of an absence note begins with."""

_LABELS = {
    "from": """
        from von de da van från fra lähettäjä od kimden от від feladó expéditeur expediteur remitente
        mittente afzender avsender avsändare odesílatel nadawca gönderen από
        差出人 送信元 发件人 發件人 寄件者 寄件人 보낸사람
    """,
    "date": """
        sent date gesendet datum envoyé fecha enviado data inviato verzonden skickat sendt dato lähetetty
        päivämäärä päiväys wysłano odesláno odoslané poslano gönderildi tarih отправлено дата надіслано
        elküldve dátum εστάλη ημερομηνία trimis
        送信日時 日時 日付 发送时间 發送時間 日期 寄件日期 傳送時間 보낸날짜 날짜
    """,
    "to": """
        to an à a para per aan till til vastaanottaja do komu kime кому címzett προς către 宛先 收件人 收件者 받는사람
    """,
    "cc": """
        cc kopie copie copia kopi kopia kopio dw kk копия másolatot bilgi κοιν 抄送 副本 参照 참조 ccn bcc
    """,
    "subject": """
        subject betreff objet asunto assunto oggetto onderwerp ämne emne aihe temat předmět predmet konu
        тема tárgy θέμα subiect 件名 主题 主題 主旨 제목
    """,
}

LABELS = {label: kind for kind, labels in _LABELS.items() for label in labels.split()}
"""What each of the lines is called that stand above an answered mail, and which of them it is."""
