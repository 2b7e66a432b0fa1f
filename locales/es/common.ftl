# What every screen shares.
common-language = Idioma
common-language-name = Español
common-money = { $sign }{ $amount } €
common-date-time = { $date } { $time }
common-step = Paso { $current } de { $total }
common-code = Código { $code }
common-moment-today = hoy { $hour ->
    [1] a la
   *[other] a las
} { $time }
common-moment = el { $date } { $hour ->
    [1] a la
   *[other] a las
} { $time }
common-call = ¿Necesita ayuda? Llame al { $telephone }.

common-card-in-tray = Su tarjeta está en la bandeja
common-card-lifted = La tarjeta no está en la bandeja
common-lifted = ¿Ha terminado?
common-lifted-lead = Puede irse. Para seguir, vuelva a poner la tarjeta.
common-covered = Sus datos están tapados
common-covered-lead = Nadie más puede verlos. Su visita sigue abierta.
common-crowded = Deje una sola tarjeta
common-crowded-lead = Hay dos tarjetas en la bandeja. Retire la otra. Código C-11.
common-unreadable = No podemos leer su tarjeta
common-unreadable-lead = Póngala sola, plana y en el centro. Código C-03.
common-reader-gone = El lector de tarjetas no responde
common-reader-gone-lead = Espere un momento. Deje la tarjeta en la bandeja. Código C-01.
common-uncover = Volver a mostrar

common-still-there = ¿Sigue ahí?
common-still-there-lead = Si no toca la pantalla, la visita termina. No perderá nada.
common-stay = Necesito más tiempo

common-finish = Terminar
common-finish-now = Terminar y recoger la tarjeta
common-back = Atrás
common-home = Volver al inicio
common-close = Entendido
common-next-page = Ver más
common-language-heading = ¿En qué idioma prefiere seguir?
common-cancel-choice = Dejarlo como está
common-looks = Letras
common-looks-heading = ¿Cómo ve mejor la pantalla?
common-looks-lead = Toque lo que quiera cambiar. Se ve al momento.
common-letters = Letra grande
common-contrast = Más contraste
common-more-time = Más tiempo
common-simple = Menos opciones a la vez
common-chosen = Seguir así
common-cover = Tapar
common-help = Ayuda
