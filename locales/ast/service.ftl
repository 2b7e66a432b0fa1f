# Maintenance: what a technician reads. Never about a citizen.
service-heading = Caltenimientu del terminal { $number }
service-lead = { $place }. Versión { $version }.
service-menu = Volver al caltenimientu
service-all-well-title = Nun hai averíes.
service-all-well-text = Tolos aparatos contesten.
service-faults-title = Hai { $count } averíes.
service-faults-text = Véales en «Estáu de los aparatos».
service-off-title = El terminal ta fuera de serviciu.

service-self-test = Prueba guiada
service-self-test-hint = Cinco pasos y un informe
service-state = Estáu de los aparatos
service-state-hint = Cada aparatu, col so códigu
service-paper = Cambiu de papel
service-paper-hint = Pon a cero la cuenta de fueyes
service-claims = Reclamaciones y unvíos
service-claims-hint = Lo que sigue abierto
service-switch-off = Poner fuera de serviciu
service-switch-off-hint = Con un motivu pal públicu
service-switch-on = Volver dar serviciu
service-switch-on-hint = El terminal vuelve atender
service-more = Más xeres
service-more-hint = Copia a USB, regla, reaniciu
service-more-heading = ¿Qué quier facer?
service-export = Copiar rexistros a un USB
service-export-hint = Rexistros y unvíos pendientes
service-ruler = Midir la pantalla
service-ruler-hint = Con una regla de 100 mm
service-restart = Reaniciar el programa
service-restart-hint = Tarda menos d’un minutu

service-works = Funciona
service-fails = Nun funciona ({ $code })
service-silent = Nun s’oye
service-not-tested = Ensin probar
service-not-told = Nun lo diz
service-part-works = Funciona: { $part }
service-part-fails = Nun funciona: { $part }
service-part-reader = Llector de tarxetes
service-part-payment = Datáfonu
service-part-printer = Impresora
service-part-sound = Soníu
service-part-network = Conexón cola central
service-part-feed = Datos de la ciudá
service-part-journal = Diariu del terminal
service-part-clock = Reló
service-part-disk = Discu

service-do = Qué facer
service-do-reader = Mire’l cable del llector. Depués, repita la prueba.
service-do-payment = Mire la corriente y el cable de rede del datáfonu.
service-do-printer = Mire la corriente y el cable de la impresora.
service-do-paper = Ponga papel y apúntelo en «Cambiu de papel».
service-do-jam = Abra la impresora y saque’l papel atascáu.
service-do-open = Zarre toles tapes de la impresora.
service-do-print = Apague y encienda la impresora. Depués, repita la prueba.
service-do-sound = Mire’l volume y el cable del altavoz.
service-do-network = Mire’l cable de rede y el router.
service-do-feed = Mire la conexón. Los datos lleguen solos.
service-do-enrol = Faiga que la ciudá vuelva dar d’alta’l terminal.
service-do-journal = Nun borre nada. Avise a la central: hai un diariu apartáu.
service-do-clock = Mire la hora del equipu y la so conexón.
service-do-disk = Copie los rexistros a un USB y avise a la central.
service-do-unanswered = Aspere un minutu y repítalo.
service-do-other = Apunte’l códigu y avise a la central.

service-program = Programa
service-running-since = Entamó { $since }
service-feed-issued = Datos publicaos
service-codes = Códigos de verificación
service-disk-free = Espaciu llibre
service-set-aside = Diarios apartaos
service-megabytes = { $size } MB
service-kilobytes = { $size } kB
service-milliseconds = { $time } ms
service-sheets = Fueyes imprentaes
service-sheets-count = { $count ->
    [one] una fueya
   *[other] { $count } fueyes
}
service-sheets-since = Papel camudáu { $since }
service-sheets-ever = Dende que s’instaló

service-testing = Tamos probando: { $part }
service-testing-reader = Dexe la so tarxeta na bandexa.
service-testing-payment = Nun se cobra nada.
service-testing-printer = Entrugamos a la impresora pol so estáu.
service-testing-network = Entrugamos a la central.
service-heard = ¿Oyó’l soníu?
service-heard-lead = Acaba de sonar una vez, pel altavoz.
service-heard-yes = Sí, oyílu
service-heard-no = Non, nun lu oyí
service-heard-again = Repetir el soníu
service-next = Siguir
service-repeat = Facer otra vez la prueba
service-found-model = Modelu
service-found-terminal = Identidá del datáfonu
service-found-receipt = Últimu recibu
service-found-took = Contestó en
service-found-clock = Reló
service-clock-right = Na hora
service-clock-ahead = Adelantra { $seconds } s
service-clock-behind = Atrasa { $seconds } s
service-ready = El terminal ta preparáu
service-not-ready = El terminal nun ta preparáu
service-report-print = Imprentar l’informe
service-report-out = L’informe ta na salida del papel.
service-report-failed = L’informe nun salió ({ $code }).
service-report-printing = Imprentamos l’informe
service-report-printing-lead = Ye una fueya. Espere, por favor.
service-report-title = Informe de la prueba del terminal { $number }
service-report-place = Llugar: { $place }
service-report-when = Data y hora: { $when }
service-report-version = Versión del programa: { $version }
service-report-signature = Nome y firma del técnicu

service-paper-heading = ¿Yá ta puestu’l papel?
service-paper-lead = La cuenta de fueyes vuelve a cero.
service-paper-sheets-title = Mire si queden fueyes dientro.
service-paper-sheets-text = Puen llevar nomes. Rómpales o entréguelas na oficina.
service-paper-changed = Sí, y nun queden fueyes dientro

service-claims-none = Nun hai recargues abiertes.
service-claims-lead = Cada recarga abierta, col códigu que tien el titular.
service-outbox = Unvíos a la central
service-outbox-count = { $count ->
    [0] nengún pendiente
    [one] ún pendiente
   *[other] { $count } pendientes
}
service-outbox-since = El más antiguu apuntóse { $since }
service-age = { $days ->
    [0] De güei
    [1] D’ayeri
   *[other] D’hai { $days } díes
}
service-claim-hint = { $age }. { $state }.
service-claim-card = Falta ver la tarxeta
service-claim-payment = Falta la respuesta del datáfonu
service-claim-central = Decídelo la central
service-claim-under-way = En marcha

service-export-heading = Enchufe una memoria USB
service-export-lead = Cópiense los rexistros técnicos y los unvíos pendientes.
service-export-care-title = La copia ye de la ciudá.
service-export-care-text = Entréguela namás a la central y nun la dexe equí.
service-export-start = Copiar agora
service-export-again = Intentalo otra vez
service-exporting = Tamos copiando a la memoria USB
service-exporting-lead = Nun la saque entá.
service-exported = La copia ta fecha
service-exported-lead = Yá pue sacar la memoria.
service-export-files = Ficheros
service-export-size = Tamañu
service-export-no-stick = Nun atopamos nenguna memoria USB
service-export-no-stick-lead = Enchúfela, espere unos segundos y vuelva intentalo.
service-export-full = La memoria USB ta enllena
service-export-full-lead = Faiga sitiu o use otra. Nun se borró nada.
service-export-failed = Nun se pudo escribir na memoria USB
service-export-failed-lead = Igual se sacó o ta protexida. Pruebe con otra.

service-ruler-heading = ¿La barra mide 100 mm?
service-ruler-lead = Ponga una regla enriba. Al guardar, el programa reaníciase.
service-ruler-value = { $scale } píxeles por milímetru
service-ruler-shorter = Más corta
service-ruler-longer = Más llarga
service-ruler-save = Mide 100 mm: guardar

service-reasons-heading = ¿Por qué se pon fuera de serviciu?
service-reasons-lead = El motivu vese na pantalla. Naide va poder usar el terminal.
service-reason = Motivu: { $reason }.
service-reason-repair = tán iguándolu
service-reason-paper = nun hai papel
service-reason-reader = el llector ta averiáu
service-reason-vandalism = el terminal ta estropiáu
service-reason-other = otra avería

service-restart-heading = ¿Reaniciar el programa?
service-restart-lead = Nun se pierde nada. Les recargues abiertes siguen depués.
service-restart-confirm = Reaniciar agora
service-money-moves-title = Hai un pagu en marcha.
service-money-moves-text = Espere a qu’acabe.
service-restarting = El programa ta reaniciándose
service-restarting-lead = Tarda menos d’un minutu. Saque la so tarxeta.
service-keeping = Guardamos el cambiu
service-keeping-lead = Espere un momentu.
service-failed-keeping = El cambiu nun se guardó
service-failed-restart = El programa nun se reanició
service-failed-lead = Too sigue como taba.
