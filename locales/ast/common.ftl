# What every screen shares.
common-language = Llingua
common-language-name = Asturianu
common-money = { $sign }{ $amount } €
common-date-time = { $date } { $time }
common-step = Pasu { $current } de { $total }
common-code = Códigu { $code }
common-moment-today = güei { $hour ->
    [1] a la
   *[other] a les
} { $time }
common-moment = el { $date } { $hour ->
    [1] a la
   *[other] a les
} { $time }
common-call = ¿Precisa ayuda? Llame al { $telephone }.

common-card-in-tray = La so tarxeta ta na bandexa
common-card-lifted = La tarxeta nun ta na bandexa
common-lifted = ¿Yá acabó?
common-lifted-lead = Pue marchar. Pa siguir, vuelva poner la tarxeta.
common-covered = Los sos datos tán tapaos
common-covered-lead = Naide más pue velos. La so visita sigue abierta.
common-crowded = Dexe una tarxeta namás
common-crowded-lead = Hai dos tarxetes na bandexa. Saque la otra. Códigu C-11.
common-unreadable = Nun podemos lleer la so tarxeta
common-unreadable-lead = Póngala sola, bien llana y nel mediu. Códigu C-03.
common-reader-gone = El llector de tarxetes nun contesta
common-reader-gone-lead = Espere un momentu. Dexe la tarxeta na bandexa. Códigu C-01.
common-uncover = Volver amosar

common-still-there = ¿Sigue ehí?
common-still-there-lead = Si nun toca la pantalla, la visita acaba. Nun va perder nada.
common-stay = Preciso más tiempu

common-finish = Acabar
common-finish-now = Acabar y coyer la tarxeta
common-back = Atrás
common-home = Volver al aniciu
common-close = Entendío
common-next-page = Amosar más
common-language-heading = ¿En qué llingua quier siguir?
common-cancel-choice = Dexalo como ta
common-looks = Lletres
common-looks-heading = ¿Cómo ve meyor la pantalla?
common-looks-lead = Toque lo que quiera camudar. Vese nel momentu.
common-letters = Lletra grande
common-contrast = Más contraste
common-more-time = Más tiempu
common-simple = Menos opciones
common-chosen = Siguir asina
common-cover = Tapar
common-help = Ayuda
