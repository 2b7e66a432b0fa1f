# What every screen shares.
common-language = Idioma
common-language-name = Español
common-money = { $amount } €
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
common-amount = Cantidad
common-call = ¿Necesita ayuda? Llame al { $telephone }.

common-card-in-tray = Su tarjeta está en la bandeja
common-card-lifted = La tarjeta no está en la bandeja
common-lifted = ¿Ha terminado?
common-lifted-lead = Puede irse. Para seguir, vuelva a poner la tarjeta.
common-covered = Sus datos están tapados
common-covered-lead = Nadie más puede verlos. Su visita sigue abierta.
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
common-letters = Letra grande
common-contrast = Contraste
common-cover = Tapar
common-help = Ayuda
