# What went wrong. For each: what happened, what is certain, what to do now, and what happens otherwise.

## The card

fault-card-foreign-heading = Esta nun ye una tarxeta ciudadana
fault-card-foreign-lead = Nun lleímos nada d’ella.
fault-card-foreign-do = Sáquela y ponga la so tarxeta ciudadana.
fault-card-foreign-otherwise = Les tarxetes bancaries y los teléfonos nun valen nesta bandexa.
fault-card-other-city-heading = Esta tarxeta ye d’otra ciudá
fault-card-other-city-lead = Nun camudamos nada nella.
fault-card-other-city-do = Sáquela y ponga una tarxeta d’esta ciudá.
fault-card-other-city-otherwise = Si cree que ye d’equí, llévela a la oficina.
fault-card-unreadable-heading = Nun fuimos a lleer la so tarxeta
fault-card-unreadable-lead = Nun camudó nada nella.
fault-card-unreadable-do = Sáquela de la cartera y póngala sola, bien llana y nel mediu.
fault-card-unreadable-otherwise = Si nun se llee, pruebe n’otru terminal o vaya a la oficina.
fault-card-damaged-heading = La so tarxeta ta estropiada
fault-card-damaged-lead = Fálten-y datos o tán a medies. Nun va perder nada.
fault-card-damaged-do = Llévela a la oficina. Ellí camúdenla por otra.
fault-card-damaged-otherwise = N’otru terminal va pasar lo mesmo.
fault-card-revoked-heading = Esta tarxeta yá nun val
fault-card-revoked-lead = Ta dada de baxa o cambióse por otra.
fault-card-revoked-do = Use la so tarxeta nueva o vaya a la oficina.
fault-card-revoked-otherwise = Si la topó, entréguela na oficina.
fault-purse-check-heading = El so saldu precisa una revisión
fault-purse-check-lead = Nun ye culpa so y nun va perder nada.
fault-purse-check-do = Lleve la tarxeta a la oficina d’atención ciudadana.
fault-purse-check-otherwise = Hasta entós nun se pue recargar. Lo demás funciona.
fault-credit-key-heading = La so tarxeta nun almite recargues agora
fault-credit-key-lead = Nun se-y cobró nada.
fault-credit-key-do = Sáquela, póngala otra vez y vuelva intentalo.
fault-credit-key-otherwise = Si vuelve pasar, llévela a la oficina.
fault-card-lifted-heading = La tarxeta sacóse enantes de tiempu
fault-card-lifted-lead = El pagu de { $amount } anulóse. Nun se-y cobra nada.
fault-card-lifted-do = Si quier, pue volver empezar.
fault-card-lifted-otherwise = Dexe la tarxeta na bandexa hasta ver el saldu nuevu.
fault-counter-moved-heading = La tarxeta camudó mientres se pagaba
fault-counter-moved-lead = Nun se-y cobró nada.
fault-counter-moved-do = Entame otra vez la recarga.
fault-counter-moved-otherwise = Si vuelve pasar, llévela a la oficina.
fault-purse-full-heading = Nun cabe tantu saldu na so tarxeta
fault-purse-full-lead = Nun se-y cobró nada.
fault-purse-full-do = Gaste un poco de saldu y recargue depués.
fault-purse-full-otherwise = La tarxeta almite hasta { $purse-max }.
fault-card-swapped-heading = Esta nun ye la tarxeta cola qu’entamó
fault-card-swapped-lead = Nun fiximos nada con ella.
fault-card-swapped-do = Sáquela. Depués ponga una tarxeta namás.
fault-card-swapped-otherwise = La so primer visita acabó y nun se perdió nada.

## The payment

fault-voided-lead = El pagu de { $amount } anulóse. Nun se-y cobra nada.
fault-payment-absent-heading = Agora nun se pue recargar equí
fault-payment-absent-lead = El llector de pagu nun contesta. Nun se-y cobró nada.
fault-payment-absent-do = Use otru terminal o inténtelo más tarde.
fault-payment-absent-otherwise = El saldu, los servicios y los documentos sí funcionen.
fault-payment-refused-heading = El bancu nun aceptó’l pagu
fault-payment-refused-lead = Nun se-y cobró nada.
fault-payment-refused-do = Pruebe con otra tarxeta bancaria.
fault-payment-refused-otherwise = Si nun tien otra, entrugue nel so bancu.
fault-payment-cancelled-heading = El pagu cancelóse
fault-payment-cancelled-lead = Nun se-y cobró nada.
fault-payment-cancelled-do = Pue volver empezar cuando quiera.
fault-payment-cancelled-otherwise = Si nun lo fai, el so saldu queda igual.
fault-payment-unknown-heading = Nun sabemos si’l bancu cobró
fault-payment-unknown-lead = El so dineru ta seguro.
fault-payment-unknown-do = Nun pague otra vez. Aclarámoslo col bancu.
fault-payment-unknown-otherwise = Si se cobró, va recibilo na so tarxeta o devolvémos-ylo.
fault-payment-mismatch-heading = El llector de pagu pidió otra cantidá
fault-payment-mismatch-lead = Anulamos el pagu. Nun se-y cobra nada.
fault-payment-mismatch-do = Use otru terminal pa recargar.
fault-payment-mismatch-otherwise = Si ve un cargu nel so bancu, llámenos y aclarámoslo.
fault-payment-blocked-heading = Hai un pagu anterior ensin aclarar
fault-payment-blocked-lead = Por esta recarga nun se-y cobró nada.
fault-payment-blocked-do = Espere un momentu y vuelva intentalo.
fault-payment-blocked-otherwise = Si sigue igual, use otru terminal.
fault-payment-back-heading = Yá se pue recargar equí
fault-payment-back-lead = El llector de pagu contesta otra vez. Nun se-y cobró nada.
fault-payment-back-do = Entame otra vez la recarga.
fault-payment-back-otherwise = Si nun lo fai, el so saldu queda igual.
fault-topup-limit-heading = Llegó al so llímite de recarga de güei
fault-topup-limit-lead = Nun se-y cobró nada.
fault-topup-limit-do = Vuelva mañana pa recargar más.
fault-topup-limit-otherwise = Cada tarxeta almite { $daily-max } al día en recargues.
fault-float-heading = Esti terminal yá nun pue recargar más güei
fault-float-lead = Nun se-y cobró nada.
fault-float-do = Use otru terminal pa recargar.
fault-float-otherwise = Mañana va poder recargar equí otra vez.

## The printer

fault-printer-absent-heading = La impresora nun contesta
fault-printer-absent-lead = Nun salió nengún papel. Nun se perdió nada.
fault-printer-absent-do = Use otru terminal pa imprentar.
fault-printer-absent-otherwise = Si vuelve funcionar, dicímos-ylo equí.
fault-paper-out-heading = Nun queda papel
fault-paper-out-lead = Nun salió nengún papel. Nun se perdió nada.
fault-paper-out-do = Use otru terminal pa imprentar.
fault-paper-out-otherwise = Cuando pongan más papel, va poder imprentar equí.
fault-paper-jam-heading = El papel quedó atascáu
fault-paper-jam-lead = Nun salió nengún papel. Nun se perdió nada.
fault-paper-jam-do = Nun tire del papel. Use otru terminal pa imprentar.
fault-paper-jam-otherwise = El papel atascáu sácalu y destrúilu un técnicu.
fault-printer-open-heading = La impresora ta abierta
fault-printer-open-lead = Nun salió nengún papel. Nun se perdió nada.
fault-printer-open-do = Nun la toque. Use otru terminal pa imprentar.
fault-printer-open-otherwise = Cuando la zarren, va poder imprentar equí.
fault-print-refused-heading = La impresora nun aceptó’l documentu
fault-print-refused-lead = Nun salió nengún papel. Nun se perdió nada.
fault-print-refused-do = Pídalu otra vez.
fault-print-refused-otherwise = Si vuelve pasar, use otru terminal.
fault-print-uncertain-heading = Nun sabemos si’l papel salió bien
fault-print-uncertain-lead = Mire na salida del papel.
fault-print-uncertain-do = Si falta o ta a medies, pídalu otra vez.
fault-print-uncertain-otherwise = Lleve tamién el papel a medies: tien los sos datos.
fault-printer-fault-heading = La impresora tien una avería
fault-printer-fault-lead = Nun salió nengún papel. Nun se perdió nada.
fault-printer-fault-do = Use otru terminal pa imprentar.
fault-printer-fault-otherwise = Cuando quede iguada, va poder imprentar equí.
fault-printer-back-heading = La impresora vuelve funcionar
fault-printer-back-lead = Nun se perdió nada.
fault-printer-back-do = Yá pue imprentar equí.
fault-printer-back-otherwise = Si vuelve parar, use otru terminal.

## Documents and data

fault-document-failed-heading = Nun fuimos a preparar esti documentu
fault-document-failed-lead = Nun salió nengún papel. Nun se perdió nada.
fault-document-failed-do = Pídalu na oficina y diga’l códigu.
fault-document-failed-otherwise = Lo demás sí funciona nesti terminal.
fault-codes-heading = Esti terminal nun pue dar documentos agora
fault-codes-lead = Acabáron-y los códigos que prueben que son auténticos.
fault-codes-do = Use otru terminal o vaya a la oficina.
fault-codes-otherwise = Cuando vuelva la conexón, va poder imprentar equí.
fault-not-pre-issued-heading = Esti documentu nun ta preparáu pa vusté
fault-not-pre-issued-lead = Nun ye un fallu de la so tarxeta nin del so PIN.
fault-not-pre-issued-do = Pídalu na oficina d’atención ciudadana.
fault-not-pre-issued-otherwise = N’otru terminal va pasar lo mesmo.
fault-document-expired-heading = Los datos del documentu caducaron
fault-document-expired-lead = Preparáronse hai demasiao tiempu. Nun salió nengún papel.
fault-document-expired-do = Pídalu na oficina d’atención ciudadana.
fault-document-expired-otherwise = Cuando vuelva la conexón, va poder imprentalu equí.
fault-too-old-heading = Los datos d’esti terminal son vieyos
fault-too-old-lead = Por eso güei nun damos documentos nin pidimos el PIN.
fault-too-old-do = Pida’l documentu n’otru terminal o na oficina.
fault-too-old-otherwise = El so saldu y la recarga sí funcionen.
fault-record-missing-heading = Nun atopamos los sos datos nesti terminal
fault-record-missing-lead = El so saldu ta bien y la tarxeta funciona.
fault-record-missing-do = Vuelva intentalo mañana o vaya a la oficina.
fault-record-missing-otherwise = Si la tarxeta ye nueva, los sos datos van llegar solos.
fault-record-corrupt-heading = Nun fuimos a abrir los sos datos
fault-record-corrupt-lead = El so saldu ta bien y nun va perder nada.
fault-record-corrupt-do = Vaya a la oficina y diga’l códigu.
fault-record-corrupt-otherwise = N’otru terminal va pasar lo mesmo.
fault-record-stale-heading = Los sos datos camudaron hai poco
fault-record-stale-lead = Esti terminal entá nun los tien. Nun gastó nengún intentu.
fault-record-stale-do = Vuelva mañana o pase pela oficina.
fault-record-stale-otherwise = El so saldu y los sos servicios sí se ven.
fault-cache-heading = Esti terminal ta cargando los datos
fault-cache-lead = El so saldu ta bien y la tarxeta funciona.
fault-cache-do = Espere unos minutos o use otru terminal.
fault-cache-otherwise = Si sigue igual mañana, llámenos y diga’l códigu.

## The PIN

fault-pin-locked-heading = El so PIN ta bloquiáu
fault-pin-locked-lead = Tecleóse mal demasiaes veces. El so saldu sigue disponible.
fault-pin-locked-do = Na oficina desbloquíenlu col so documentu d’identidá.
fault-pin-locked-otherwise = Ensin PIN nun s’imprenten documentos. La recarga sí funciona.
fault-pin-never-set-heading = La so tarxeta entá nun tien PIN
fault-pin-never-set-lead = El PIN protexe los sos documentos.
fault-pin-never-set-do = Pídalu na oficina. Dan-ylu nel momentu.
fault-pin-never-set-otherwise = El saldu, los servicios y la recarga funcionen ensin PIN.

## The terminal itself

fault-journal-heading = Esto nun se pue facer equí agora
fault-journal-lead = Un técnicu tien que revisar el terminal. Nun se perdió nada.
fault-journal-do = Use otru terminal o vaya a la oficina.
fault-journal-otherwise = El so saldu y los sos servicios sí se ven equí.
fault-disk-heading = Esti terminal nun pue guardar más datos
fault-disk-lead = Nun se-y cobró nada y nun se perdió nada.
fault-disk-do = Use otru terminal o vaya a la oficina.
fault-disk-otherwise = El so saldu y los sos servicios sí se ven equí.
fault-clock-heading = El reló d’esti terminal nun va bien
fault-clock-lead = Ensin la hora nun cobramos nin damos documentos. Nun se perdió nada.
fault-clock-do = Use otru terminal o vaya a la oficina.
fault-clock-otherwise = El so saldu y los sos servicios sí se ven equí.
fault-other-heading = Daqué nun foi bien
fault-other-lead = Nun se perdió nada.
fault-other-do = Vuelva intentalo o use otru terminal.
fault-other-otherwise = Si vuelve pasar, llámenos y diga’l códigu.
