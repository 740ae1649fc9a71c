"""Spanish: everything customers in Spain and Mexico write, and the answers."""

from __future__ import annotations

from deskhand.sandbox.phrasing import Chat, Scenario, Tongue

_HEADS_UP = Scenario(
    key="heads-up",
    inbox=0,
    tags=("heads-up",),
    subjects=("Su pedido {order} llegará algo más tarde", "Sobre su lámpara {product}"),
    opening=(
        "Le escribo antes de que tenga que hacerlo usted: su lámpara {product} (pedido {order}) no saldrá el "
        "{weekday}, como prometimos. Una pieza no ha pasado nuestro control y la siguiente tarda unos días.\nLa nueva "
        "fecha es el {later}. Si es demasiado tarde, dígamelo y busco otra solución.",
    ),
    ask=(),
    info=("Gracias por avisar a tiempo. El {later} me va bien[|, todavía anochece tarde].",),
    fix=("Gracias por la paciencia, queda anotado. En cuanto salga el paquete tendrá noticias nuestras.",),
)

_SCENARIOS = (
    Scenario(
        key="late parcel",
        inbox=0,
        tags=("late parcel",),
        subjects=("¿Dónde está el pedido {order}?", "El paquete {tracking} no se mueve", "Entrega con retraso"),
        opening=(
            'El {date} pedí una lámpara {product} (pedido {order}). Desde entonces el seguimiento dice ["en '
            'tránsito"|"en clasificación"], que será verdad, pero ayuda poco. ¿Podrían averiguar dónde está?',
            "Según {carrier}, mi paquete {tracking} está en casa de un vecino. He preguntado en todo el edificio, "
            "[también a la señora del cuarto, que lo sabe todo|puerta por puerta]. Nadie tiene una lámpara nueva. "
            "¿Qué hacemos?",
            "Una consulta rápida: ¿ha salido ya el pedido {order}? Es un regalo, y el cumpleaños cae en {weekday}, "
            "[con lámpara o sin ella|como todos los años].",
        ),
        ask=(
            "Siento mucho la espera. Antes de pedir una búsqueda a {carrier}, dos preguntas:\n- ¿La dirección sigue "
            "siendo {street}, {city}?\n- ¿Había algún aviso en el buzón?",
        ),
        info=(
            "Sí, la dirección es correcta. Ni aviso ni paquete, [solo publicidad de velas|nada de nada].",
            "La dirección está bien. Si hace falta, que lo dejen en la panadería de abajo: [abren a las seis|guardan "
            "de todo menos el pan].",
        ),
        fix=(
            "Hemos encontrado su paquete: estaba [en la furgoneta equivocada|detrás de un palé de arena para gatos]. "
            "Llega el {weekday} con el número {tracking}. Le he devuelto el envío, porque pagó una entrega y recibió "
            "una novela.",
            "{carrier} da el paquete por perdido. Hoy mismo sale otra lámpara {product} por correo urgente, número "
            "{tracking}. Si aparece la primera, basta con rechazarla.",
        ),
    ),
    Scenario(
        key="wrong item",
        inbox=0,
        tags=("wrong item", "return"),
        subjects=(
            "Pedí la {product} y llegó la {product2}",
            "Color equivocado, pedido {order}",
        ),
        opening=(
            "Hoy ha llegado el pedido {order}. Dentro venía una {product2}. Es bonita, pero yo había pedido la "
            "{product}, [y no se parecen en nada|y la pared ya está medida]. ¿Cómo hacemos el cambio?",
            "Elegí la {product} en verde musgo y recibí [amarillo mostaza|negro|algo entre beige y arrepentimiento]. "
            "Adjunto una foto.",
        ),
        ask=(
            "Le pido disculpas por la confusión. ¿Qué número pone en la etiqueta de la base de la caja? Así sabré "
            "quién está admirando su lámpara.",
        ),
        info=("La etiqueta dice {serial}. Pueden recogerla cualquier día [menos el {weekday}|por la mañana].",),
        fix=(
            "La {product} correcta sale hoy (número {tracking}). {carrier} recogerá la otra el {weekday}; no hay que "
            "imprimir nada. Y si entretanto le ha tomado cariño, puede quedársela a mitad de precio.",
        ),
        enclosed="photo",
    ),
    Scenario(
        key="refund",
        inbox=0,
        tags=("refund",),
        subjects=("Devolución del pedido {order}", "Reembolso de {amount}"),
        opening=(
            "Quisiera devolver la lámpara {product} del pedido {order}. Está perfecta, pero [es demasiado alta para "
            "su rincón|tiene justo el color de la pared y ya no la vemos]. ¿Qué tengo que hacer?",
            "Según {carrier}, mi devolución está con ustedes desde el {date}. Los {amount} aún no han llegado. "
            "¿Pueden mirarlo?",
        ),
        ask=(
            "Por supuesto. ¿Pagó con tarjeta o por transferencia, y conserva la caja?",
            "He encontrado su paquete, pero dentro solo venía un dibujo, sin formulario. ¿Era el pedido {order}, y "
            "devolvemos a la misma tarjeta?",
        ),
        info=(
            "Con tarjeta. La caja existe, [ahora vive en ella el gato|un poco abollada].",
            "Sí, {order}, y a la misma tarjeta. [El dibujo es de mi hija.|]",
        ),
        fix=(
            "Es sencillo:\n- Ponga la lámpara en una caja.\n- Pegue la etiqueta que acabo de enviarle.\n- Déjela en "
            "un punto de {carrier} antes del {later}.\nEl dinero sale el mismo día.",
            "El reembolso de {amount} ha salido esta mañana. Los bancos tardan de dos a cinco días hábiles en "
            "creérselo.",
        ),
    ),
    Scenario(
        key="invoice copy",
        inbox=0,
        tags=("invoice",),
        subjects=("Factura del pedido {order}", "Copia de la factura {invoice}"),
        opening=(
            "¿Me pueden enviar otra vez la factura {invoice} ({amount})? La mía [conoció una taza de café|está "
            "guardada en un lugar muy seguro, no sé cuál].",
            "Necesito la factura del pedido {order} a nombre de {payer}. Hacienda [no cree en las lámparas sin "
            "papeles|es así].",
        ),
        ask=(
            "Con gusto. ¿Le envío el original tal cual o añado un NIF?",
            "Con gusto. ¿La pongo a nombre de {payer} o la dejo como está?",
        ),
        info=(
            "Tal cual, gracias. [Es solo para el archivador.|]",
            "A nombre de {payer}, por favor, {street}, {city}.",
        ),
        fix=("Aquí tiene la factura {invoice} en PDF. También está en su cuenta, lejos de cualquier taza.",),
        sent="invoice",
    ),
    Scenario(
        key="broken part",
        inbox=1,
        tags=("broken part", "spare part"),
        subjects=("Repuesto para la {product}", "Mi {product} se inclina", "{product}: una pieza floja"),
        opening=(
            "Mi lámpara {product} tiene tres años y nunca se había quejado. Desde el {weekday}, {part} ya no sujeta "
            "bien. ¿Venden la pieza suelta? El número de serie es {serial}.",
            "En la mudanza se nos estropeó {part}. El resto está entero, [la amistad también|los de la mudanza "
            "también]. ¿Lo puede arreglar alguien [sin talento|con paciencia]?",
        ),
        ask=(
            "Gracias por reparar en vez de tirar. ¿Me manda una foto y el número que hay debajo del pie? Existen dos "
            "versiones, y no se hablan.",
        ),
        info=(
            "Adjunto la foto, número {serial}. Tuve que tumbarme en el suelo para leerlo, [qué vistas|cuánto polvo].",
        ),
        fix=(
            "La pieza va en camino, sin coste: su lámpara está en garantía. Afloje el tornillo dos vueltas, no tres; "
            "a la tercera saluda un muelle.",
            "Se la mando por carta y debería llegar el {weekday}. El montaje:\n- Desenchufe la lámpara.\n- Suelte el "
            "anillo bajo la pantalla.\n- Cambie la pieza y gire hasta oír un clic.\nSi no hay clic, escríbame y lo "
            "buscamos juntos.",
        ),
        enclosed="photo",
    ),
    Scenario(
        key="assembly",
        inbox=1,
        tags=("assembly",),
        subjects=(
            "Me sobra un tornillo",
            "Montaje de la {product}: paso 4",
        ),
        opening=(
            "He montado la {product} y me sobra un tornillo. Da luz, pero [no me fío de ella|duermo mal]. ¿Dónde va?",
            'En el paso 4 el texto dice "por la izquierda" y el dibujo muestra la derecha. He probado las dos, [y '
            "también con cariño|y el centro]. ¿Cuál es?",
        ),
        ask=(
            "¿Me manda una foto del tornillo, junto a una moneda? Así veo qué versión tiene.",
            "¿Cuántos agujeros tiene la pieza, dos o tres? De eso depende todo.",
        ),
        info=(
            "Adjunto la foto. La moneda es solo para la escala[|, no es propina].",
            "Tres, contados ante testigos.",
        ),
        fix=(
            "Lo ha hecho todo bien: en cada bolsa hay un tornillo de más, para la alfombra. Adjunto las instrucciones "
            "de todos modos.",
            "Es por la izquierda y el dibujo está mal; llevamos desde la primavera pidiendo perdón. Adjunto la hoja "
            "corregida.",
        ),
        sent="sheet",
        enclosed="photo",
    ),
    Scenario(
        key="price list",
        inbox=2,
        tags=("wholesale", "price list"),
        subjects=("Tarifa para tiendas", "{organization}: condiciones"),
        opening=(
            "Somos {organization}, en {city}, y nos gustaría vender sus lámparas. ¿Nos envían la tarifa y el pedido "
            "mínimo? [La tienda es pequeña, el escaparate no.|]",
            "Para nuestro nuevo local necesitamos {qty} lámparas {product}, todas del mismo color, antes del {later}. "
            "El arquitecto dice que la fecha es firme. ¿Qué precio tendrían?",
        ),
        ask=("Qué alegría. ¿Me indica su NIF y cuántas lámparas calcula al mes?",),
        info=("Unas {qty} al mes, más en otoño. El NIF va en el próximo correo, en cuanto lo encuentre.",),
        fix=(
            "Aquí está la tarifa, válida hasta el {later}. En resumen: 30 % desde 10 lámparas, 38 % desde 40 y portes "
            "pagados a partir de {amount}. El primer pedido puede ser pequeño; nosotros también lo fuimos.",
        ),
        sent="prices",
    ),
)

SPANISH = Tongue(
    code="es",
    tag="spanish",
    months=(
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ),
    weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    date="{day} de {month}",
    money="{whole},{cents} €",
    parts=("la rosca", "el brazo", "el interruptor", "la articulación", "el contrapeso"),
    dear="Hola, {first}:",
    dear_nobody="Hola:",
    hello=("Hola:", "Buenos días:", "Buenas tardes:", "Estimado equipo:"),
    bye=(
        "Un saludo",
        "Saludos cordiales",
        "Saludos desde {city}",
        "Hasta pronto",
        "[Gracias de antemano|Muchas gracias]",
    ),
    regards=("Un cordial saludo", "Saludos desde el taller", "Que tenga un buen día"),
    wrote="El {date}, {staff} escribió:",
    phone_line="Enviado desde el teléfono.",
    thanks=(
        "¡[Perfecto|Estupendo|Qué bien], muchas gracias por la ayuda tan rápida!",
        "Muchas gracias, {staff}. [Da gusto que conteste una persona.|No esperaba una respuesta tan amable.]",
        "Asunto resuelto, muchas gracias. [Más rápido que mi cafetera.|]",
    ),
    delighted=(
        "Ya funciona. [El gato está de acuerdo.|Parece que hubiera estado ahí toda la vida.] Gracias.",
        "¡Ya alumbra! [Nos hemos pasado la tarde encendiendo y apagando.|Lo sabe toda la calle.] Gracias, {staff}.",
    ),
    grumble=(
        "Gracias por la respuesta, pero desde entonces no ha pasado nada. ¿Podría alguien mirarlo de verdad?",
        "Para ser sincero, es un poco decepcionante: he escrito dos veces por {order} y sigo igual.",
    ),
    failed=(
        "No ha funcionado, ni a la tercera, [ni a plena luz del día|y eso que leí las instrucciones]. Esto empieza a "
        "parecer una novela por entregas.",
        "Aguantó un día y luego la lámpara volvió a las andadas. ¿Qué más puedo probar?",
    ),
    soothe=(
        "Tiene usted razón, y lo siento. El asunto se queda en mi mesa: antes del {weekday} le escribo, con un "
        "resultado o con una explicación honesta. Le he abonado {credit} en su cuenta, por los nervios.",
    ),
    nudge=(
        "Solo quería recordar mi mensaje del {asked}. [Ya sé que las lámparas no se hacen solas.|]",
        "¿Hay alguna novedad? No quiero molestar, solo quiero luz.",
    ),
    again=(
        "Vuelvo a ser yo, por el pedido {order}. Todo iba bien hasta ayer: ahora la lámpara [zumba|hace clic] cuando "
        "se calienta. ¿Es normal o está cantando?",
        "Otra pregunta sobre el mismo pedido: ¿podría tener una segunda {product} exactamente del mismo tono? La "
        "primera se aburre.",
        "Nos hemos mudado, y la {product} con nosotros. Los enchufes están todos detrás del piano. ¿Hay un cable más "
        "largo?",
        "Después del pedido {order} quisiera otras dos {product}, para regalar. ¿Llegarían antes de las fiestas?",
    ),
    back=(
        "Me alegra saber de usted. Tengo el pedido {order} delante, así que no hace falta explicarlo todo otra vez. "
        "Solo necesito una foto de la placa que hay debajo del pie y preparo el resto.",
    ),
    great=("Rápido y amable.", "Así da gusto.", ""),
    okay=("Bien, aunque tardó.",),
    not_good=("Tuve que escribir dos veces.",),
    heads_up=_HEADS_UP,
    scenarios=_SCENARIOS,
    chats=(
        Chat(
            1,
            ("bulbs",),
            "Chat: bombilla para la {product}",
            (
                "C Hola, ¿E27 o E14 para la {product}?",
                "S Hola, {first}. E27, 8 vatios como máximo.",
                "C ¿Y se puede regular?",
                "S Con un regulador para LED, sí. Con uno antiguo, parpadea.",
                "C El mío es antiguo. Gracias.",
            ),
        ),
    ),
)
