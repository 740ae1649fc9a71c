"""French: everything customers in France and Belgium write, and the answers."""

from __future__ import annotations

from deskhand.sandbox.phrasing import Chat, Scenario, Tongue

_HEADS_UP = Scenario(
    key="heads-up",
    inbox=0,
    tags=("heads-up",),
    subjects=("Votre commande {order} aura un peu de retard", "Au sujet de votre lampe {product}"),
    opening=(
        "Je vous écris avant que vous n'ayez à le faire : votre lampe {product} (commande {order}) ne partira pas "
        "{weekday} comme promis. Une pièce n'a pas passé notre contrôle, et la suivante demande quelques jours.\nLa "
        "nouvelle date est le {later}. Si c'est trop tard pour vous, dites-le-moi et je trouverai une autre solution.",
    ),
    ask=(),
    info=("Merci de l'avertissement. Le {later} me convient[ très bien|, il fera encore jour].",),
    fix=("Merci de votre patience, c'est noté. Vous aurez de nos nouvelles dès que le colis partira.",),
)

_SCENARIOS = (
    Scenario(
        key="late parcel",
        inbox=0,
        tags=("late parcel",),
        subjects=("Où est ma commande {order} ?", "Colis {tracking} immobile depuis le {date}", "Livraison en retard"),
        opening=(
            "J'ai commandé une lampe {product} le {date} (commande {order}). Depuis, le suivi indique [« en cours de "
            "tri »|« en chemin »], ce qui est sans doute vrai mais peu précis. Pourriez-vous vérifier ?",
            "D'après {carrier}, mon colis {tracking} a été remis à un voisin. J'ai interrogé tout l'immeuble, [même "
            "la gardienne, qui sait tout|y compris le monsieur du troisième]. Personne n'a de nouvelle lampe. Que "
            "faire ?",
            "Une petite question : la commande {order} est-elle partie ? C'est un cadeau, et l'anniversaire tombe "
            "{weekday}, [avec ou sans lampe|comme tous les ans].",
        ),
        ask=(
            "Toutes mes excuses pour cette attente. Avant de lancer une recherche chez {carrier}, deux questions :\n- "
            "L'adresse est-elle toujours {street}, {city} ?\n- Avez-vous trouvé un avis dans la boîte aux lettres ?",
        ),
        info=(
            "Oui, l'adresse est bonne. Pas d'avis, pas de colis, [seulement une publicité pour des bougies|rien].",
            "L'adresse est exacte. Au besoin, laissez-le à la boulangerie d'en bas, elle garde tout sauf les "
            "croissants.",
        ),
        fix=(
            "Votre colis est retrouvé : il était [dans la mauvaise camionnette|derrière une palette de litière]. Il "
            "arrive {weekday}, sous le numéro {tracking}. Je vous ai remboursé le port : vous aviez payé une "
            "livraison, pas un feuilleton.",
            "{carrier} considère le colis comme perdu. Une nouvelle lampe {product} part aujourd'hui en express, "
            "numéro {tracking}. Si la première réapparaît, refusez-la simplement.",
        ),
    ),
    Scenario(
        key="wrong item",
        inbox=0,
        tags=("wrong item", "return"),
        subjects=(
            "Une {product2} à la place de la {product}",
            "Erreur de couleur, commande {order}",
        ),
        opening=(
            "Le colis de la commande {order} est arrivé, merci. Il contenait une lampe {product2}. Elle est jolie, "
            "mais j'avais commandé la {product}, [et les deux ne se ressemblent pas|et le mur attendait la bonne]. "
            "Comment faire l'échange ?",
            "J'avais choisi la {product} en vert mousse, et j'ai reçu [du jaune moutarde|du noir|une couleur entre le "
            "beige et le regret]. Photo jointe.",
        ),
        ask=(
            "Je suis désolée de cette confusion. Quel numéro lisez-vous sur l'étiquette sous le carton ? Je saurai "
            "ainsi qui admire votre lampe en ce moment.",
        ),
        info=("L'étiquette indique {serial}. Vous pouvez passer la prendre [le matin|tous les jours sauf {weekday}].",),
        fix=(
            "La bonne lampe {product} part aujourd'hui (numéro {tracking}). {carrier} viendra chercher l'autre "
            "{weekday}, vous n'avez rien à imprimer. Et si entre-temps elle vous plaît trop, elle peut rester à "
            "moitié prix.",
        ),
        enclosed="photo",
    ),
    Scenario(
        key="refund",
        inbox=0,
        tags=("refund",),
        subjects=("Retour de la commande {order}", "Remboursement de {amount}"),
        opening=(
            "Je souhaite renvoyer la lampe {product} de la commande {order}. Elle est parfaite, mais [trop haute pour "
            "sa niche|de la même couleur que le mur, donc invisible]. Comment procéder ?",
            "Mon retour est chez vous depuis le {date}, selon {carrier}. Les {amount} ne sont pas encore arrivés. "
            "Pourriez-vous regarder ?",
        ),
        ask=(
            "Bien sûr. Aviez-vous payé par carte ou par virement, et avez-vous encore le carton ?",
            "J'ai retrouvé votre colis, mais il n'y avait qu'un dessin à l'intérieur, pas de formulaire. Était-ce "
            "bien la commande {order}, et faut-il rembourser sur la même carte ?",
        ),
        info=(
            "Par carte. Le carton existe toujours, [le chat y a élu domicile|un peu cabossé].",
            "Oui, {order}, et sur la même carte. [Le dessin est de ma fille.|]",
        ),
        fix=(
            "Voici la marche à suivre :\n- Mettez la lampe dans un carton.\n- Collez l'étiquette que je viens de vous "
            "envoyer.\n- Déposez le tout chez {carrier} avant le {later}.\nL'argent repart le jour du dépôt.",
            "Le remboursement de {amount} est parti ce matin. Les banques mettent deux à cinq jours ouvrés à y croire.",
        ),
    ),
    Scenario(
        key="invoice copy",
        inbox=0,
        tags=("invoice",),
        subjects=("Facture de la commande {order}", "Copie de la facture {invoice}"),
        opening=(
            "Pourriez-vous me renvoyer la facture {invoice} ({amount}) ? La mienne [a rencontré une tasse de café|est "
            "rangée en lieu sûr, je ne sais plus lequel].",
            "Il me faudrait la facture de la commande {order} au nom de {payer}. Notre comptable est [juste mais "
            "sévère|de mauvaise humeur].",
        ),
        ask=(
            "Avec plaisir. Faut-il renvoyer l'original tel quel, ou y ajouter un numéro de TVA ?",
            "Avec plaisir. Faut-il l'établir au nom de {payer} ou la laisser telle quelle ?",
        ),
        info=(
            "Telle quelle, merci. [C'est seulement pour le classeur.|]",
            "Au nom de {payer}, s'il vous plaît, {street}, {city}.",
        ),
        fix=("Voici la facture {invoice} en PDF. Vous la retrouverez aussi dans votre compte, à l'abri des tasses.",),
        sent="invoice",
    ),
    Scenario(
        key="broken part",
        inbox=1,
        tags=("broken part", "spare part"),
        subjects=("Pièce de rechange pour {product}", "Ma lampe {product} penche", "{product} : une pièce a lâché"),
        opening=(
            "Ma lampe {product} a trois ans et ne s'était jamais plainte. Depuis {weekday}, {part} ne tient plus. "
            "Peut-on commander la pièce seule ? Le numéro de série est {serial}.",
            "Pendant le déménagement, {part} a lâché. Le reste est intact, [l'amitié aussi|les déménageurs aussi]. "
            "Est-ce réparable par une personne [sans talent|patiente] ?",
        ),
        ask=(
            "Merci de réparer plutôt que de jeter. Pourriez-vous m'envoyer une photo et le numéro sous le pied ? Il "
            "existe deux versions, qui ne se parlent plus.",
        ),
        info=(
            "Photo jointe, numéro {serial}. J'ai dû m'allonger par terre pour le lire, [jolie vue|c'était "
            "poussiéreux].",
        ),
        fix=(
            "La pièce est en route, gratuitement : votre lampe est sous garantie. Desserrez la vis de deux tours, pas "
            "trois ; au troisième, un ressort dit bonjour.",
            "Je vous l'envoie par lettre, elle devrait arriver {weekday}. Pour le montage :\n- Débranchez la lampe.\n"
            "- Dévissez la bague sous l'abat-jour.\n- Changez la pièce et tournez jusqu'au clic.\nPas de clic ? "
            "Écrivez-moi, nous cliquerons ensemble.",
        ),
        enclosed="photo",
    ),
    Scenario(
        key="assembly",
        inbox=1,
        tags=("assembly",),
        subjects=(
            "Il me reste une vis",
            "Montage de la {product}, étape 4",
        ),
        opening=(
            "J'ai monté la lampe {product} et il me reste une vis. Elle éclaire, mais [je la surveille|je dors mal]. "
            "Où va-t-elle ?",
            "À l'étape 4, le texte dit « par la gauche » et l'image montre la droite. J'ai essayé les deux, [et aussi "
            "en soupirant|puis le milieu]. Qui a raison ?",
        ),
        ask=(
            "Pourriez-vous m'envoyer une photo de la vis, à côté d'une pièce de monnaie ? Je verrai de quelle version "
            "il s'agit.",
            "Combien de trous a la pièce chez vous, deux ou trois ? Tout en dépend.",
        ),
        info=(
            "Photo jointe. La pièce de monnaie sert d'échelle, [pas de pourboire|je la garde].",
            "Trois, comptés devant témoin.",
        ),
        fix=(
            "Vous avez tout bien fait : chaque sachet contient une vis de plus, pour le tapis. Je joins quand même la "
            "notice.",
            "C'est par la gauche, l'image est fausse ; nous nous en excusons depuis le printemps. La notice corrigée "
            "est jointe.",
        ),
        sent="sheet",
        enclosed="photo",
    ),
    Scenario(
        key="price list",
        inbox=2,
        tags=("wholesale", "price list"),
        subjects=("Tarif revendeurs", "{organization} : vos conditions"),
        opening=(
            "Nous sommes {organization}, à {city}, et nous aimerions proposer vos lampes. Pourriez-vous nous envoyer "
            "votre tarif et la quantité minimale ? [La boutique est petite, la vitrine est grande.|]",
            "Pour notre nouvelle salle il nous faudrait {qty} lampes {product}, toutes de la même couleur, avant le "
            "{later}. L'architecte dit que la date est ferme. Quel serait le prix ?",
        ),
        ask=("Quelle bonne idée. Pourriez-vous m'indiquer votre numéro de TVA et le nombre de lampes par mois ?",),
        info=("Environ {qty} par mois, davantage en automne. Le numéro de TVA suit, dès que je le retrouve.",),
        fix=(
            "Voici le tarif, valable jusqu'au {later}. En bref : 30 % dès 10 lampes, 38 % dès 40, port offert à "
            "partir de {amount}. La première commande peut être petite, nous l'avons été aussi.",
        ),
        sent="prices",
    ),
)

FRENCH = Tongue(
    code="fr",
    tag="french",
    months=(
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
    weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    date="{day} {month}",
    money="{whole},{cents} €",
    parts=("la douille", "le bras", "l'interrupteur", "la rotule", "le contrepoids"),
    dear="Bonjour {first},",
    dear_nobody="Bonjour,",
    hello=("Bonjour,", "Bonjour à toute l'équipe,", "Bonsoir,", "Madame, Monsieur,"),
    bye=(
        "Cordialement",
        "Bien à vous",
        "Bonne journée",
        "Salutations de {city}",
        "Merci d'avance",
    ),
    regards=("Bien cordialement", "Belle journée à vous", "Avec les salutations de l'atelier"),
    wrote="Le {date}, {staff} a écrit :",
    phone_line="Envoyé depuis un téléphone.",
    thanks=(
        "[Parfait|Formidable|Super], merci pour votre aide si rapide !",
        "Un grand merci, {staff}. Je ne pensais pas [avoir affaire à une vraie personne|recevoir une réponse si "
        "gentille].",
        "Tout est réglé, merci beaucoup. [Plus vite que ma bouilloire.|]",
    ),
    delighted=(
        "Tout marche, la lampe éclaire. [Le chat est d'accord.|On dirait qu'elle a toujours été là.]",
        "Elle éclaire ! [Nous avons passé la soirée à l'allumer et à l'éteindre.|Toute la rue est au courant.] Merci, "
        "{staff}.",
    ),
    grumble=(
        "Merci de votre réponse, mais il ne s'est rien passé depuis. Quelqu'un pourrait-il s'en occuper vraiment ?",
        "Pour être franc, c'est un peu décevant : j'ai écrit deux fois pour {order} et je n'en sais pas plus.",
    ),
    failed=(
        "Cela n'a pas fonctionné, même au troisième essai, [même en plein jour|et pourtant j'ai lu]. Notre "
        "correspondance devient un roman.",
        "Cela a tenu une journée, puis la lampe a repris ses vieilles habitudes. Que puis-je encore essayer ?",
    ),
    soothe=(
        "Vous avez raison, et je vous présente mes excuses. Le dossier ne quitte plus mon bureau : je vous écris "
        "d'ici {weekday}, avec un résultat ou une explication honnête. J'ai porté {credit} à votre compte, pour la "
        "patience.",
    ),
    nudge=(
        "Un petit rappel de mon message du {asked}. [Les lampes ne se font pas toutes seules, je sais.|]",
        "Y a-t-il du nouveau ? Je ne veux pas insister, je veux seulement de la lumière.",
    ),
    again=(
        "C'est encore moi, pour la commande {order}. Tout allait bien jusqu'à hier : la lampe [bourdonne|claque] en "
        "chauffant. Est-ce normal, ou chante-t-elle ?",
        "Encore une question sur la même commande : pourrais-je avoir une deuxième {product}, exactement de la même "
        "teinte ? La première s'ennuie.",
        "Nous avons déménagé, et la lampe {product} avec nous. Les prises sont toutes derrière le piano. Existe-t-il "
        "un câble plus long ?",
        "Après la commande {order}, j'aimerais deux autres {product}, pour offrir. Est-ce possible avant les fêtes ?",
    ),
    back=(
        "Quel plaisir de vous relire. J'ai la commande {order} sous les yeux, inutile de tout réexpliquer. Il me "
        "faudrait seulement une photo de la plaque sous le pied, et je prépare le reste.",
    ),
    great=("Rapide et aimable.", "Un vrai service, avec de l'humour.", ""),
    okay=("Bien, mais un peu long.",),
    not_good=("J'ai dû écrire deux fois.",),
    heads_up=_HEADS_UP,
    scenarios=_SCENARIOS,
    chats=(
        Chat(
            0,
            ("stock",),
            "Chat : {product} en cuivre",
            (
                "C Bonjour, avez-vous encore la {product} en cuivre ?",
                "S Bonjour {first}, il en reste deux à l'atelier. Je vous en mets une de côté ?",
                "C Oui, jusqu'à quand ?",
                "S Jusqu'au {later}. Ensuite elle ira à un monsieur qui appelle tous les jours.",
                "C Il ne l'aura pas. Je commande ce soir.",
            ),
        ),
    ),
)
