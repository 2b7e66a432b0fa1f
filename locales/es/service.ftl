# Maintenance: what a technician reads. Never about a citizen.
service-heading = Mantenimiento del terminal { $number }
service-lead = { $place }. Versión { $version }.
service-menu = Volver al mantenimiento
service-all-well-title = No hay averías.
service-all-well-text = Todos los aparatos responden.
service-faults-title = Hay { $count } averías.
service-faults-text = Mírelas en «Estado de los aparatos».
service-off-title = El terminal está fuera de servicio.

service-self-test = Prueba guiada
service-self-test-hint = Cinco pasos y un informe
service-state = Estado de los aparatos
service-state-hint = Cada aparato, con su código
service-paper = Cambio de papel
service-paper-hint = Pone a cero la cuenta de hojas
service-claims = Reclamaciones y envíos
service-claims-hint = Lo que sigue abierto
service-switch-off = Poner fuera de servicio
service-switch-off-hint = Con un motivo para el público
service-switch-on = Volver a dar servicio
service-switch-on-hint = El terminal vuelve a atender
service-more = Más tareas
service-more-hint = Copia a USB, regla, reinicio
service-more-heading = ¿Qué quiere hacer?
service-export = Copiar registros a un USB
service-export-hint = Registros y envíos pendientes
service-ruler = Medir la pantalla
service-ruler-hint = Con una regla de 100 mm
service-restart = Reiniciar el programa
service-restart-hint = Tarda menos de un minuto

service-works = Funciona
service-fails = No funciona ({ $code })
service-silent = No se oye
service-not-tested = Sin probar
service-not-told = No lo dice
service-part-works = Funciona: { $part }
service-part-fails = No funciona: { $part }
service-part-reader = Lector de tarjetas
service-part-payment = Datáfono
service-part-printer = Impresora
service-part-sound = Sonido
service-part-network = Conexión con la central
service-part-feed = Datos de la ciudad
service-part-journal = Diario del terminal
service-part-clock = Reloj
service-part-disk = Disco

service-do = Qué hacer
service-do-reader = Revise el cable del lector. Después, repita la prueba.
service-do-payment = Revise la corriente y el cable de red del datáfono.
service-do-printer = Revise la corriente y el cable de la impresora.
service-do-paper = Ponga papel y anótelo en «Cambio de papel».
service-do-jam = Abra la impresora y saque el papel atascado.
service-do-open = Cierre todas las tapas de la impresora.
service-do-print = Apague y encienda la impresora. Después, repita la prueba.
service-do-sound = Revise el volumen y el cable del altavoz.
service-do-network = Revise el cable de red y el router.
service-do-feed = Revise la conexión. Los datos llegan solos.
service-do-enrol = Haga que la ciudad vuelva a dar de alta el terminal.
service-do-journal = No borre nada. Avise a la central: hay un diario apartado.
service-do-clock = Revise la hora del equipo y su conexión.
service-do-disk = Copie los registros a un USB y avise a la central.
service-do-unanswered = Espere un minuto y repítalo.
service-do-other = Anote el código y avise a la central.

service-program = Programa
service-running-since = En marcha desde { $since }
service-feed-issued = Datos publicados
service-codes = Códigos de verificación
service-disk-free = Espacio libre
service-set-aside = Diarios apartados
service-megabytes = { $size } MB
service-kilobytes = { $size } kB
service-milliseconds = { $time } ms
service-sheets = Hojas impresas
service-sheets-count = { $count ->
    [one] una hoja
   *[other] { $count } hojas
}
service-sheets-since = Desde el último papel, { $since }
service-sheets-ever = Desde que se instaló

service-testing = Probamos: { $part }
service-testing-reader = Deje su tarjeta en la bandeja.
service-testing-payment = No se cobra nada.
service-testing-printer = Preguntamos a la impresora por su estado.
service-testing-network = Preguntamos a la central.
service-heard = ¿Ha oído el sonido?
service-heard-lead = Acaba de sonar una vez, por el altavoz.
service-heard-yes = Sí, lo he oído
service-heard-no = No, no lo he oído
service-heard-again = Repetir el sonido
service-next = Continuar
service-repeat = Repetir la prueba
service-found-model = Modelo
service-found-terminal = Identidad del datáfono
service-found-receipt = Último recibo
service-found-took = Respuesta en
service-found-clock = Reloj
service-clock-right = En hora
service-clock-ahead = Adelanta { $seconds } s
service-clock-behind = Atrasa { $seconds } s
service-ready = El terminal está listo
service-not-ready = El terminal no está listo
service-report-print = Imprimir el informe
service-report-out = El informe está en la salida de papel.
service-report-failed = El informe no ha salido ({ $code }).
service-report-printing = Imprimimos el informe
service-report-printing-lead = Es una hoja. Espere, por favor.
service-report-title = Informe de prueba del terminal { $number }
service-report-place = Lugar: { $place }
service-report-when = Fecha y hora: { $when }
service-report-version = Versión del programa: { $version }
service-report-signature = Nombre y firma del técnico

service-paper-heading = ¿Ya está puesto el papel?
service-paper-lead = La cuenta de hojas vuelve a cero.
service-paper-sheets-title = Mire si quedan hojas dentro.
service-paper-sheets-text = Pueden llevar nombres. Rómpalas o entréguelas en la oficina.
service-paper-changed = Sí, y no quedan hojas dentro

service-claims-none = No hay recargas abiertas.
service-claims-lead = Cada recarga abierta, con el código que tiene el titular.
service-outbox = Envíos a la central
service-outbox-count = { $count ->
    [0] ninguno pendiente
    [one] uno pendiente
   *[other] { $count } pendientes
}
service-outbox-since = El más antiguo espera desde { $since }
service-age = { $days ->
    [0] De hoy
    [1] De ayer
   *[other] De hace { $days } días
}
service-claim-hint = { $age }. { $state }.
service-claim-card = Falta ver la tarjeta
service-claim-payment = Falta la respuesta del datáfono
service-claim-central = Lo decide la central
service-claim-under-way = En curso

service-export-heading = Conecte una memoria USB
service-export-lead = Se copian los registros técnicos y los envíos pendientes.
service-export-care-title = La copia es de la ciudad.
service-export-care-text = Entréguela solo a la central y no la deje aquí.
service-export-start = Copiar ahora
service-export-again = Intentarlo otra vez
service-exporting = Copiamos a la memoria USB
service-exporting-lead = No la retire todavía.
service-exported = La copia está hecha
service-exported-lead = Ya puede retirar la memoria.
service-export-files = Ficheros
service-export-size = Tamaño
service-export-no-stick = No encontramos ninguna memoria USB
service-export-no-stick-lead = Conéctela, espere unos segundos y vuelva a intentarlo.
service-export-full = La memoria USB está llena
service-export-full-lead = Haga sitio o use otra. Nada se ha borrado.
service-export-failed = No se pudo escribir en la memoria USB
service-export-failed-lead = Quizá se retiró o está protegida. Pruebe con otra.

service-ruler-heading = ¿Mide la barra 100 mm?
service-ruler-lead = Ponga una regla encima. Al guardar, el programa se reinicia.
service-ruler-value = { $scale } píxeles por milímetro
service-ruler-shorter = Más corta
service-ruler-longer = Más larga
service-ruler-save = Mide 100 mm: guardar

service-reasons-heading = ¿Por qué se pone fuera de servicio?
service-reasons-lead = El motivo se ve en la pantalla. Nadie podrá usar el terminal.
service-reason = Motivo: { $reason }.
service-reason-repair = en reparación
service-reason-paper = no hay papel
service-reason-reader = el lector está averiado
service-reason-vandalism = el terminal está dañado
service-reason-other = otra avería

service-restart-heading = ¿Reiniciar el programa?
service-restart-lead = No se pierde nada. Las recargas abiertas siguen después.
service-restart-confirm = Reiniciar ahora
service-money-moves-title = Hay un pago en curso.
service-money-moves-text = Espere a que termine.
service-restarting = El programa se reinicia
service-restarting-lead = Tarda menos de un minuto. Retire su tarjeta.
service-keeping = Guardamos el cambio
service-keeping-lead = Espere un momento.
service-failed-keeping = El cambio no se ha guardado
service-failed-restart = El programa no se ha reiniciado
service-failed-lead = Todo sigue como estaba.
