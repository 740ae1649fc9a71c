"""Portuguese: everything customers in Portugal write, and the answers."""

from __future__ import annotations

from deskhand.sandbox.phrasing import Chat, Scenario, Tongue

_HEADS_UP = Scenario(
    key="heads-up",
    inbox=0,
    tags=("heads-up",),
    subjects=("A sua encomenda {order} vai atrasar-se um pouco", "Sobre o seu candeeiro {product}"),
    opening=(
        "Escrevo antes que tenha de o fazer: o seu candeeiro {product} (encomenda {order}) não vai sair na data "
        "prometida. Uma peça não passou no nosso controlo e a seguinte demora alguns dias.\nA nova data é {later}. Se "
        "for tarde demais, diga-me e arranjo outra solução.",
    ),
    ask=(),
    info=("Agradeço o aviso. {later} está bem para mim.",),
    fix=("Agradeço a paciência, fica anotado. Assim que o volume partir, terá notícias nossas.",),
)

_SCENARIOS = (
    Scenario(
        key="late parcel",
        inbox=0,
        tags=("late parcel",),
        subjects=("Onde está a encomenda {order}?", "Volume {tracking} parado", "Entrega em atraso"),
        opening=(
            'No dia {date} encomendei um candeeiro {product} (encomenda {order}). Desde então o seguimento diz ["em '
            'trânsito"|"em triagem"], o que deve ser verdade, mas ajuda pouco. Podem ver onde está?',
            "Segundo a {carrier}, o volume {tracking} ficou em casa de um vizinho. Perguntei no prédio inteiro, [até "
            "à senhora do rés-do-chão, que sabe tudo|porta a porta]. Ninguém tem um candeeiro novo. E agora?",
        ),
        ask=(
            "Peço desculpa pela espera. Antes de pedir uma busca à {carrier}, duas perguntas:\n- A morada continua a "
            "ser {street}, {city}?\n- Havia algum aviso na caixa do correio?",
        ),
        info=(
            "Sim, a morada está certa. Nem aviso nem volume, [só publicidade de velas|nada].",
            "A morada está certa. Se for preciso, deixem na padaria de baixo: [abrem às seis|guardam tudo menos o "
            "pão].",
        ),
        fix=(
            "Encontrámos o seu volume: estava [na carrinha errada|atrás de uma palete de areia para gatos]. Chega a "
            "{later}, com o número {tracking}. Devolvi-lhe os portes, porque pagou uma entrega e recebeu um folhetim.",
            "A {carrier} dá o volume por perdido. Hoje segue outro candeeiro {product} por correio expresso, número "
            "{tracking}. Se o primeiro aparecer, basta recusá-lo.",
        ),
    ),
    Scenario(
        key="wrong item",
        inbox=0,
        tags=("wrong item", "return"),
        subjects=(
            "Encomendei o {product} e veio o {product2}",
            "Cor errada, encomenda {order}",
        ),
        opening=(
            "Chegou hoje a encomenda {order}. Dentro vinha um {product2}. É bonito, mas eu tinha encomendado o "
            "{product}, [e os dois não se confundem|e a parede já está medida]. Como fazemos a troca?",
            "Escolhi o {product} em verde-musgo e recebi [amarelo-mostarda|preto|algo entre o bege e o remorso]. "
            "Envio uma foto.",
        ),
        ask=(
            "Peço desculpa pela confusão. Que número está na etiqueta por baixo da caixa? Assim sei quem anda a "
            "admirar o seu.",
        ),
        info=("A etiqueta diz {serial}. Podem vir buscá-lo [de manhã|em qualquer dia].",),
        fix=(
            "O {product} certo segue hoje (número {tracking}). A {carrier} recolhe o outro a {later}; não precisa de "
            "imprimir nada. E se entretanto se afeiçoou a ele, pode ficar com ele a metade do preço.",
        ),
        enclosed="photo",
    ),
    Scenario(
        key="refund",
        inbox=0,
        tags=("refund",),
        subjects=("Devolução da encomenda {order}", "Reembolso de {amount}"),
        opening=(
            "Gostaria de devolver o candeeiro {product} da encomenda {order}. Está perfeito, mas [é demasiado alto "
            "para o nicho|tem exatamente a cor da parede e deixámos de o ver]. Como devo fazer?",
            "Segundo a {carrier}, a minha devolução está convosco desde {date}. Os {amount} ainda não chegaram. Podem "
            "verificar?",
        ),
        ask=(
            "Claro. Pagou com cartão ou por transferência, e ainda tem a caixa?",
            "Encontrei o seu volume, mas dentro vinha só um desenho, sem formulário. Era a encomenda {order}, e "
            "devolvemos para o mesmo cartão?",
        ),
        info=(
            "Com cartão. A caixa existe, [o gato mora lá agora|um pouco amassada].",
            "Sim, {order}, e para o mesmo cartão. [O desenho é da minha filha.|]",
        ),
        fix=(
            "É simples:\n- Ponha o candeeiro numa caixa.\n- Cole a etiqueta que acabo de enviar.\n- Entregue num "
            "ponto da {carrier} até {later}.\nO dinheiro segue no mesmo dia.",
            "O reembolso de {amount} seguiu esta manhã. Os bancos demoram dois a cinco dias úteis a acreditar.",
        ),
    ),
    Scenario(
        key="invoice copy",
        inbox=0,
        tags=("invoice",),
        subjects=("Fatura da encomenda {order}", "Cópia da fatura {invoice}"),
        opening=(
            "Podem enviar-me outra vez a fatura {invoice} ({amount})? A minha [conheceu uma chávena de café|está num "
            "lugar muito seguro, não sei qual].",
            "Preciso da fatura da encomenda {order} em nome de {payer}. [O contabilista é justo, mas severo.|Basta o "
            "PDF.]",
        ),
        ask=(
            "Com todo o gosto. Envio o original tal como está ou acrescento o NIF?",
            "Com todo o gosto. Fica em nome de {payer} ou como está?",
        ),
        info=(
            "Tal como está. [É só para o arquivo.|]",
            "Em nome de {payer}, por favor, {street}, {city}.",
        ),
        fix=("Segue a fatura {invoice} em PDF. Também está na sua conta, longe de qualquer chávena.",),
        sent="invoice",
    ),
    Scenario(
        key="broken part",
        inbox=1,
        tags=("broken part", "spare part"),
        subjects=("Peça para o {product}", "O meu {product} está inclinado"),
        opening=(
            "O meu candeeiro {product} tem três anos e nunca se queixou. Há uns dias, {part} deixou de segurar. "
            "Vendem a peça avulsa? O número de série é {serial}.",
            "Na mudança estragou-se {part}. O resto está inteiro, [a amizade também|os carregadores também]. Consegue "
            "trocar-se em casa, [sem talento|com paciência]?",
        ),
        ask=(
            "Ainda bem que prefere reparar. Pode enviar uma foto e o número que está por baixo do pé? Há duas "
            "versões, e não se falam.",
        ),
        info=("Segue a foto, número {serial}. Tive de me deitar no chão para o ler, [bela vista|quanto pó].",),
        fix=(
            "A peça vai a caminho, sem custos: o candeeiro está na garantia. Desaperte o parafuso duas voltas, não "
            "três; à terceira há uma mola que diz bom dia.",
            "Envio-a por carta, deve chegar a {later}. A montagem:\n- Desligue a ficha.\n- Solte o anel debaixo do "
            "abajur.\n- Troque a peça e rode até ouvir um clique.\nSe não houver clique, escreva-me e procuramo-lo "
            "juntos.",
        ),
        enclosed="photo",
    ),
    Scenario(
        key="assembly",
        inbox=1,
        tags=("assembly",),
        subjects=(
            "Sobrou um parafuso",
            "Montagem do {product}: passo 4",
        ),
        opening=(
            "Montei o {product} e sobrou um parafuso. Dá luz, mas [não confio nele|durmo mal]. Onde entra?",
            'No passo 4 o texto diz "pela esquerda" e o desenho mostra a direita. Tentei as duas, [e o meio|e também '
            "com jeito]. Qual é?",
        ),
        ask=(
            "Pode enviar uma foto do parafuso, ao lado de uma moeda? Assim vejo que versão tem.",
            "Quantos furos tem a peça, dois ou três? Tudo depende disso.",
        ),
        info=(
            "Segue a foto. A moeda é só para a escala[|, não é gorjeta].",
            "Três, contados com testemunhas.",
        ),
        fix=(
            "Fez tudo bem: cada saco traz um parafuso a mais, para o tapete. Envio as instruções na mesma.",
            "É pela esquerda e o desenho está errado; pedimos desculpa por ele desde a primavera. Segue a folha "
            "corrigida.",
        ),
        sent="sheet",
        enclosed="photo",
    ),
    Scenario(
        key="price list",
        inbox=2,
        tags=("wholesale", "price list"),
        subjects=("Tabela para revenda", "{organization}: condições"),
        opening=(
            "Somos {organization}, em {city}, e gostaríamos de vender os vossos candeeiros. Podem enviar a tabela e a "
            "quantidade mínima? [A loja é pequena, a montra é grande.|]",
            "Para a nossa nova sala precisamos de {qty} candeeiros {product}, todos da mesma cor, até {later}. O "
            "arquiteto diz que a data é definitiva. Qual seria o preço?",
        ),
        ask=("Que boa ideia. Pode indicar o NIF e quantos candeeiros prevê por mês?",),
        info=("Cerca de {qty} por mês, mais no outono. O NIF segue logo que o encontre.",),
        fix=(
            "Segue a tabela, válida até {later}. Em resumo: 30 % a partir de 10, 38 % a partir de 40 e portes grátis "
            "acima de {amount}. A primeira encomenda pode ser pequena; nós também já fomos.",
        ),
        sent="prices",
    ),
)

PORTUGUESE = Tongue(
    code="pt",
    tag="portuguese",
    months=(
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ),
    weekdays=("segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"),
    date="{day} de {month}",
    money="{whole},{cents} €",
    parts=("o braço", "a rosca", "o interruptor", "a articulação", "o contrapeso"),
    dear="Olá, {first},",
    dear_nobody="Olá,",
    hello=("Bom dia,", "Boa tarde,", "Olá,", "Olá a toda a equipa,"),
    bye=(
        "Com os melhores cumprimentos",
        "Cumprimentos",
        "Cumprimentos de {city}",
        "Até breve",
        "Agradeço desde já",
    ),
    regards=("Com os melhores cumprimentos", "Cumprimentos da oficina", "Um bom dia"),
    wrote="Em {date}, {staff} escreveu:",
    phone_line="Enviado do telemóvel.",
    thanks=(
        "[Perfeito|Excelente|Que maravilha], agradeço a ajuda tão rápida!",
        "Agradeço imenso, {staff}. [Não esperava resposta de uma pessoa.|Assim dá gosto.]",
        "Está tudo resolvido, agradeço muito. [Mais depressa do que a minha chaleira.|]",
    ),
    delighted=(
        "Já funciona. [O gato está de acordo.|Parece que sempre ali esteve.] Agradeço muito.",
        "Dá luz! [Passámos o serão a acender e a apagar.|A rua inteira já sabe.] Agradeço, {staff}.",
    ),
    grumble=(
        "Agradeço a resposta, mas desde então nada aconteceu. Alguém pode ver isto a sério?",
        "Para ser franco, é um pouco dececionante: escrevi duas vezes sobre {order} e continuo na mesma.",
    ),
    failed=(
        "Não resultou, nem à terceira, [nem à luz do dia|e li as instruções]. A nossa correspondência já dá um "
        "romance.",
        "Aguentou um dia e depois o candeeiro voltou aos velhos hábitos. O que mais posso tentar?",
    ),
    soothe=(
        "Tem toda a razão, e peço desculpa. O assunto fica na minha mesa: escrevo-lhe até {later}, com um resultado "
        "ou com uma explicação honesta. Creditei {credit} na sua conta, pelos nervos.",
    ),
    nudge=(
        "Queria só lembrar a minha mensagem de {asked}. [Bem sei que os candeeiros não se fazem sozinhos.|]",
        "Há alguma novidade? Não quero incomodar, só quero luz.",
    ),
    again=(
        "Sou eu outra vez, por causa da encomenda {order}. Estava tudo bem até ontem: agora o candeeiro "
        "[zumbe|estala] quando aquece. É normal, ou está a cantar?",
        "Mais uma pergunta sobre a mesma encomenda: posso ter um segundo {product}, exatamente do mesmo tom? O "
        "primeiro anda triste.",
        "Mudámos de casa, e o {product} connosco. As tomadas ficam todas atrás do piano. Há um cabo mais comprido?",
        "Depois da encomenda {order}, queria mais dois {product}, para oferecer. Chegam antes das festas?",
    ),
    back=(
        "Que bom ter notícias suas. Tenho a encomenda {order} à minha frente, não precisa de explicar tudo outra vez. "
        "Falta-me só uma foto da placa por baixo do pé e preparo o resto.",
    ),
    great=("Rápido e simpático.", "Assim dá gosto.", ""),
    okay=("Bem, mas demorou.",),
    not_good=("Tive de escrever duas vezes.",),
    heads_up=_HEADS_UP,
    scenarios=_SCENARIOS,
    chats=(
        Chat(
            1,
            ("bulbs",),
            "Chat: lâmpada para o {product}",
            (
                "C Olá, E27 ou E14 para o {product}?",
                "S Olá. E27, no máximo 8 watts.",
                "C Foi rápido!",
                "S Temos a resposta sempre à mão, ao lado do chá.",
            ),
        ),
    ),
)
