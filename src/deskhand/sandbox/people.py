"""Material for customers: countries with names that belong there, invented organizations, remarks. No real people.

Telephone numbers come from ranges set aside for films, or cannot exist; e-mail addresses and sites end in `.example`.
"""

from __future__ import annotations

from typing import NamedTuple


class Country(NamedTuple):
    """Names, places and habits; `phones` hold `#` for digits, a place is city, state and postal code."""

    code: str
    language: str
    women: tuple[str, ...]
    men: tuple[str, ...]
    last_names: tuple[str, ...]
    places: tuple[tuple[str, str | None, str], ...]
    streets: tuple[str, ...]
    phones: tuple[str, ...]


class Organization(NamedTuple):
    """An invented shop, hotel or office, and the domain its people write from."""

    name: str
    domain: str


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COUNTRIES = (
    Country(
        "GB",
        "en",
        _words("Mira Harriet Imogen Nell Philippa Bronwen Elspeth Tamsin Beatrix Rhona"),
        _words("Alistair Rufus Callum Hamish Gareth Barnaby Edmund Desmond Leopold Angus"),
        _words(
            "Thackray Penhaligon Oakshott Merriweather Birtwhistle Trelawney Fairclough Ramsbottom Akintola Dunmore"
        ),
        (
            ("Leeds", None, "LS1 4AP"),
            ("Whitby", None, "YO21 3PU"),
            ("Bath", None, "BA1 5AW"),
            ("Fife", None, "KY10 2AB"),
        ),
        ("{n} Tanner's Row", "{n} Gannet Street", "{n} Old Chapel Lane", "Flat {n}, Mill Yard"),
        ("+44 20 7946 0###", "+44 7700 900###", "+44 1632 960###"),
    ),
    Country(
        "IE",
        "en",
        _words("Aoife Niamh Saoirse Orla Sinead Roisin Maeve Grainne"),
        _words("Cormac Fergal Donal Oisin Eoin Padraig Cathal Lorcan"),
        _words("Quilligan Mulcahy Tierney Hanrahan Kinsella Devaney Costigan Rafferty"),
        (("Port Merrow", None, "P99 AB12"), ("Galway", None, "H91 XY34"), ("Sligo", None, "F91 CD56")),
        ("{n} Quay Street", "{n} Curlew Terrace", "The Old Forge, Strand Road {n}"),
        ("+353 20 91# ####",),
    ),
    Country(
        "US",
        "en",
        _words("Loretta Marisol Winifred Delphine Joanne Tamika Priscilla Opal Ramona"),
        _words("Wendell Curtis Thaddeus Orlando Emmett Darnell Roscoe Elwood Jerome"),
        _words("Halvorsen Pettibone Castellano Whitlock Stubblefield Okonkwo Vandermeer Lindgren Treadwell"),
        (("Duluth", "MN", "55802"), ("Asheville", "NC", "28801"), ("Tacoma", "WA", "98402"), ("Ithaca", "NY", "14850")),
        ("{n} Sycamore Avenue", "{n} Lighthouse Road", "{n} W Juniper Street, Apt 4"),
        ("+1 206 555 01##", "+1 607 555 01##", "+1 218 555 01##"),
    ),
    Country(
        "CA",
        "en",
        _words("Marguerite Beverly Anjali Joelle Shauna Corinne"),
        _words("Gordon Lyle Rohan Bertrand Murray Clifford"),
        _words("Thibodeaux-Reid MacAskill Ferrante Grewal Sorensen Pelletier Drummond"),
        (("Halifax", "NS", "B3H 1A1"), ("Guelph", "ON", "N1E 2B3"), ("Nelson", "BC", "V1L 4C5")),
        ("{n} Maple Crescent", "{n} Dockside Drive"),
        ("+1 902 555 01##", "+1 416 555 01##"),
    ),
    Country(
        "AU",
        "en",
        _words("Jacinta Merle Bronte Leanne Talia"),
        _words("Bruno Dougal Kieran Lachie Noel"),
        _words("Wattleby Karagiannis Brockhurst Nguyen-Hall Pascoe Tuckerman"),
        (("Hobart", "TAS", "7000"), ("Bendigo", "VIC", "3550"), ("Albany", "WA", "6330")),
        ("{n} Banksia Street", "{n} Magpie Close"),
        ("+61 2 5550 ####", "+61 3 5550 ####"),
    ),
    Country(
        "SE",
        "en",
        _words("Ylva Ebba Gunilla Tuva Sigrid"),
        _words("Torsten Gustav Lennart Viggo Staffan"),
        _words("Bergqvist Sundelius Ekdahl Norrby Hallgren Wikander"),
        (("Ystad", None, "271 42"), ("Falun", None, "791 71")),
        ("Sjögatan {n}", "Björkvägen {n}"),
        ("+46 8 465 004 ##",),
    ),
    Country(
        "IN",
        "en",
        _words("Kavita Ishani Meenal Lalitha Zarina"),
        _words("Arvind Nikhil Suresh Farhan Girish"),
        _words("Deshpande Iyengar Chowdhury Bhattacharya Kulkarni Merchant"),
        (("Pune", "Maharashtra", "411001"), ("Kochi", "Kerala", "682001")),
        ("{n} Neem Road", "{n} Lake View Colony"),
        ("+91 20 0000 0###",),
    ),
    Country(
        "DE",
        "de",
        _words("Annegret Frauke Wiebke Heike Swantje Mareike Gudrun Leonie Dörte"),
        _words("Jürgen Torben Hinnerk Matthias Ansgar Dietmar Ole Volker Björn"),
        _words("Brömmelhaupt Lüttjohann Oberhauser Kaltenbach Wuttke Sievers Reimann Hagedorn Pfannenschmidt"),
        (("Husum", None, "25813"), ("Leipzig", None, "04109"), ("Tübingen", None, "72070"), ("Celle", None, "29221")),
        ("Möwenweg {n}", "Am Alten Speicher {n}", "Lindenstraße {n}", "Gerbergasse {n}"),
        ("+49 30 23125 ###", "+49 221 4710 ###", "+49 89 99998 ###"),
    ),
    Country(
        "AT",
        "de",
        _words("Resi Walpurga Notburga Elfriede"),
        _words("Alois Korbinian Leopold Severin"),
        _words("Hinterleitner Moosbrugger Zwettler Pichlmayr"),
        (("Linz", None, "4020"), ("Bregenz", None, "6900")),
        ("Kirchengasse {n}", "Am Graben {n}"),
        ("+43 1 000 0###",),
    ),
    Country(
        "CH",
        "de",
        _words("Vreni Regula Corinne"),
        _words("Urs Reto Beat"),
        _words("Aebischer Zurbriggen Hürlimann Wyttenbach"),
        (("Thun", None, "3600"), ("Chur", None, "7000")),
        ("Seestrasse {n}", "Rosenweg {n}"),
        ("+41 44 000 0###",),
    ),
    Country(
        "FR",
        "fr",
        _words("Solène Maëlys Clotilde Ghislaine Apolline Yvette Margaux Armelle"),
        _words("Gaëtan Thibault Anselme Loïc Fabrice Corentin Rémi Octave"),
        _words("Delacourcelle Guillemot Bonnefoy Lachaume Kermadec Roussillon Pouliquen Vasseur"),
        (("Nantes", None, "44000"), ("Dole", None, "39100"), ("Uzès", None, "30700"), ("Vannes", None, "56000")),
        ("{n} rue des Lavandières", "{n} quai aux Huîtres", "{n} impasse du Moulin"),
        ("+33 1 99 00 ## ##", "+33 6 39 98 ## ##"),
    ),
    Country(
        "BE",
        "fr",
        _words("Godelieve Amandine Colette"),
        _words("Ghislain Baudouin Firmin"),
        _words("Vandenbossche Lekeux Dewitte Hanotiau"),
        (("Namur", None, "5000"), ("Tournai", None, "7500")),
        ("{n} rue du Beffroi", "{n} rue de la Pluie"),
        ("+32 2 000 0###",),
    ),
    Country(
        "ES",
        "es",
        _words("Remedios Itziar Macarena Begoña Lucía Jimena Pilar"),
        _words("Gonzalo Iñaki Fermín Anselmo Rodrigo Jacinto Nicanor"),
        _words("Echevarría Bustamante Cifuentes Zabaleta Arrieta Carrasco Villalonga"),
        (("Cádiz", None, "11001"), ("Oviedo", None, "33001"), ("Teruel", None, "44001")),
        ("Calle del Faro {n}", "Plaza de la Higuera {n}", "Calle Carpinteros {n}"),
        ("+34 000 000 ###",),
    ),
    Country(
        "MX",
        "es",
        _words("Xóchitl Graciela Yolanda Citlali"),
        _words("Evaristo Leobardo Ramiro Cuauhtémoc"),
        _words("Olmedo Villarreal Ibarrola Sandoval"),
        (("Puebla", "PUE", "72000"), ("Mérida", "YUC", "97000")),
        ("Calle Jacarandas {n}", "Avenida de las Palmas {n}"),
        ("+52 55 0000 0###",),
    ),
    Country(
        "PT",
        "pt",
        _words("Matilde Leonor Graça Conceição Benedita Inês"),
        _words("Duarte Gonçalo Afonso Baltasar Vasco Américo"),
        _words("Figueiredo Queirós Vasconcelos Teixeira Brandão Noronha"),
        (("Aveiro", None, "3800-200"), ("Évora", None, "7000-500"), ("Tavira", None, "8800-300")),
        ("Rua das Gaivotas, {n}", "Travessa do Forno, {n}", "Largo da Oliveira, {n}"),
        ("+351 000 000 ###",),
    ),
    Country(
        "JP",
        "ja",
        _words("美咲/Misaki 千尋/Chihiro 由美子/Yumiko 彩香/Ayaka 節子/Setsuko"),
        _words("健太/Kenta 浩二/Koji 大輔/Daisuke 修/Osamu 直樹/Naoki"),
        _words("小野寺/Onodera 桜庭/Sakuraba 早瀬/Hayase 三枝/Saegusa 水無瀬/Minase 柏木/Kashiwagi"),
        (("金沢市", "石川県", "920-0000"), ("尾道市", "広島県", "722-0000"), ("函館市", "北海道", "040-0000")),
        ("港町{n}番地", "柳通り{n}-2"),
        ("+81 3 0000 0###",),
    ),
)

LANGUAGES = ("en",) * 62 + ("de",) * 11 + ("fr",) * 9 + ("es",) * 8 + ("pt",) * 5 + ("ja",) * 5

DOMAINS = {
    "en": ("inbox.example", "letterbox.example", "quillmail.example", "mail.parish.example"),
    "de": ("kiste.example", "briefkasten.example", "eilbrief.example"),
    "fr": ("courriel.example", "pli.example"),
    "es": ("correo.example", "buzon.example"),
    "pt": ("caixa.example", "carta.example"),
    "ja": ("tegami.example", "yubin.example"),
}

ORGANIZATIONS = {
    "en": (
        Organization("Harbour House Hotels", "harbourhouse.example"),
        Organization("Crumb and Kettle", "crumbandkettle.example"),
        Organization("Tern Street Library", "ternstreet.example"),
        Organization("Pebble Architects", "pebblearch.example"),
        Organization("Foxglove Interiors", "foxglove.example"),
        Organization("Low Tide Dental", "lowtide.example"),
        Organization("Millrace Studios", "millrace.example"),
        Organization("Salt Lane Bakery", "saltlane.example"),
        Organization("Marrow and Twine", "marrowtwine.example"),
    ),
    "de": (
        Organization("Café Salzwind", "salzwind.example"),
        Organization("Buchhandlung Eichhorn", "eichhorn-buch.example"),
        Organization("Tischlerei Moorbach", "moorbach.example"),
        Organization("Pension Dachsbau", "dachsbau.example"),
    ),
    "fr": (
        Organization("Librairie du Hérisson", "herisson.example"),
        Organization("Hôtel des Trois Vents", "troisvents.example"),
        Organization("Atelier Brumeval", "brumeval.example"),
    ),
    "es": (
        Organization("Librería El Farol", "elfarol.example"),
        Organization("Hostal Mirasol", "mirasol.example"),
        Organization("Estudio Calderilla", "calderilla.example"),
    ),
    "pt": (
        Organization("Livraria da Maré", "mare.example"),
        Organization("Casa do Farol", "casadofarol.example"),
        Organization("Atelier Andorinha", "andorinha.example"),
    ),
    "ja": (
        Organization("喫茶ひだまり", "hidamari.example"),
        Organization("書房あかり", "akari.example"),
        Organization("宿かわせみ", "kawasemi.example"),
    ),
}

JOBS = {
    "en": ("Owner", "Manager", "Buyer", "Bookkeeper", "Caretaker", "Reception", "Office manager"),
    "de": _words("Geschäftsleitung Einkauf Empfang Buchhaltung Hausmeisterei"),
    "fr": _words("Gérance Comptabilité Accueil Achats"),
    "es": _words("Gerencia Contabilidad Recepción Compras"),
    "pt": _words("Gerência Contabilidade Receção Compras"),
    "ja": ("店長", "経理担当", "仕入れ担当"),
}

REMARKS = (
    "Prefers e-mail to the telephone.",
    "Owns four lamps of ours and a cat that tests them.",
    "Very precise. Likes measurements in millimetres.",
    "Writes in capital letters, means well.",
    "Moves house once a year. Check the address each time.",
    "Repairs everything at home; send parts, not instructions.",
    "Was here at the open day and asked the best question.",
    "Pays within the hour.",
    "Plays the viola. Sensitive to humming dimmers.",
)

SPAM_SENDERS = (
    "growth@rankrocket.example",
    "billing@invoice-desk-007.example",
    "hello@guestarticles.example",
    "estate@lighthouse-heirs.example",
    "sales@many-followers.example",
    "export@reelworld.example",
    "support@mailbox-quota.example",
    "team@mindful-warehouse.example",
    "ceo@definitely-your-boss.example",
    "offers@cranes-and-more.example",
    "news@webinar-of-the-day.example",
    "prince@quick-inheritance.example",
)

CARRIER_CLAIMS = "claims@kestrel-parcel.example"

CHAT_TYPES = ("skype", "xmpp", "other")
PROFILE_TYPES = ("linkedin", "aboutme", "twitter", "other")
