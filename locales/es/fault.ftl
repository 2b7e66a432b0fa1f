# What went wrong. For each: what happened, what is certain, what to do now, and what happens otherwise.

## The card

fault-card-foreign-heading = Esta no es una tarjeta ciudadana
fault-card-foreign-lead = No hemos leído nada de ella.
fault-card-foreign-do = Retírela y ponga su tarjeta ciudadana.
fault-card-foreign-otherwise = Las tarjetas bancarias y los teléfonos no sirven en esta bandeja.
fault-card-other-city-heading = Esta tarjeta es de otra ciudad
fault-card-other-city-lead = No hemos cambiado nada en ella.
fault-card-other-city-do = Retírela y ponga una tarjeta de esta ciudad.
fault-card-other-city-otherwise = Si cree que es de aquí, llévela a la oficina.
fault-card-unreadable-heading = No pudimos leer su tarjeta
fault-card-unreadable-lead = No ha cambiado nada en ella.
fault-card-unreadable-do = Sáquela de la cartera y póngala sola, plana y en el centro.
fault-card-unreadable-otherwise = Si no se lee, pruebe en otro terminal o vaya a la oficina.
fault-card-damaged-heading = Su tarjeta está dañada
fault-card-damaged-lead = Le faltan datos o están a medias. No perderá nada.
fault-card-damaged-do = Llévela a la oficina. Allí se la cambian.
fault-card-damaged-otherwise = En otro terminal pasará lo mismo.
fault-card-revoked-heading = Esta tarjeta ya no vale
fault-card-revoked-lead = Está dada de baja o se cambió por otra.
fault-card-revoked-do = Use su tarjeta nueva o vaya a la oficina.
fault-card-revoked-otherwise = Si la ha encontrado, entréguela en la oficina.
fault-purse-check-heading = Su saldo necesita una revisión
fault-purse-check-lead = No es culpa suya y no perderá nada.
fault-purse-check-do = Lleve la tarjeta a la oficina de atención ciudadana.
fault-purse-check-otherwise = Hasta entonces no se puede recargar. Lo demás funciona.
fault-credit-key-heading = Su tarjeta no admite recargas ahora
fault-credit-key-lead = No se le ha cobrado nada.
fault-credit-key-do = Retírela, póngala otra vez e inténtelo de nuevo.
fault-credit-key-otherwise = Si vuelve a pasar, llévela a la oficina.
fault-card-lifted-heading = La tarjeta se retiró antes de tiempo
fault-card-lifted-lead = El pago de { $amount } se ha anulado. No se le cobra nada.
fault-card-lifted-do = Si quiere, puede volver a empezar.
fault-card-lifted-otherwise = Deje la tarjeta en la bandeja hasta ver el saldo nuevo.
fault-counter-moved-heading = La tarjeta cambió durante el pago
fault-counter-moved-lead = No se le ha cobrado nada.
fault-counter-moved-do = Empiece otra vez la recarga.
fault-counter-moved-otherwise = Si vuelve a pasar, llévela a la oficina.
fault-purse-full-heading = No cabe tanto saldo en su tarjeta
fault-purse-full-lead = No se le ha cobrado nada.
fault-purse-full-do = Gaste un poco de saldo y recargue después.
fault-purse-full-otherwise = La tarjeta admite hasta { $purse-max }.
fault-card-swapped-heading = Esta no es la tarjeta con la que empezó
fault-card-swapped-lead = No hemos hecho nada con ella.
fault-card-swapped-do = Retírela. Después ponga una sola tarjeta.
fault-card-swapped-otherwise = Su primera visita ha terminado y no se ha perdido nada.

## The payment

fault-voided-lead = El pago de { $amount } se ha anulado. No se le cobra nada.
fault-payment-absent-heading = Ahora no se puede recargar aquí
fault-payment-absent-lead = El lector de pago no responde. No se le ha cobrado nada.
fault-payment-absent-do = Use otro terminal o inténtelo más tarde.
fault-payment-absent-otherwise = Su saldo, sus servicios y sus documentos sí funcionan.
fault-payment-refused-heading = El banco no aceptó el pago
fault-payment-refused-lead = No se le ha cobrado nada.
fault-payment-refused-do = Pruebe con otra tarjeta bancaria.
fault-payment-refused-otherwise = Si no tiene otra, pregunte a su banco.
fault-payment-cancelled-heading = El pago se ha cancelado
fault-payment-cancelled-lead = No se le ha cobrado nada.
fault-payment-cancelled-do = Puede volver a empezar cuando quiera.
fault-payment-cancelled-otherwise = Si no lo hace, su saldo sigue igual.
fault-payment-unknown-heading = No sabemos si el banco ha cobrado
fault-payment-unknown-lead = Su dinero está a salvo.
fault-payment-unknown-do = No pague otra vez. Lo aclaramos con el banco.
fault-payment-unknown-otherwise = Si se cobró, lo recibirá en su tarjeta o se lo devolveremos.
fault-payment-mismatch-heading = El lector de pago pidió otra cantidad
fault-payment-mismatch-lead = Hemos anulado el pago. No se le cobra nada.
fault-payment-mismatch-do = Use otro terminal para recargar.
fault-payment-mismatch-otherwise = Si ve un cargo en su banco, llámenos y lo aclaramos.
fault-payment-blocked-heading = Un pago anterior está sin aclarar
fault-payment-blocked-lead = Por esta recarga no se le ha cobrado nada.
fault-payment-blocked-do = Espere un momento y vuelva a intentarlo.
fault-payment-blocked-otherwise = Si sigue igual, use otro terminal.
fault-payment-back-heading = Ya se puede recargar aquí
fault-payment-back-lead = El lector de pago responde otra vez. No se le ha cobrado nada.
fault-payment-back-do = Empiece otra vez la recarga.
fault-payment-back-otherwise = Si no lo hace, su saldo sigue igual.
fault-topup-limit-heading = Ha llegado a su límite de recarga de hoy
fault-topup-limit-lead = No se le ha cobrado nada.
fault-topup-limit-do = Vuelva mañana para recargar más.
fault-topup-limit-otherwise = Cada tarjeta admite { $daily-max } al día en recargas.
fault-float-heading = Este terminal ya no puede recargar más hoy
fault-float-lead = No se le ha cobrado nada.
fault-float-do = Use otro terminal para recargar.
fault-float-otherwise = Mañana podrá recargar aquí otra vez.

## The printer

fault-printer-absent-heading = La impresora no responde
fault-printer-absent-lead = No ha salido ningún papel. Nada se ha perdido.
fault-printer-absent-do = Use otro terminal para imprimir.
fault-printer-absent-otherwise = Si vuelve a funcionar, se lo decimos aquí.
fault-paper-out-heading = No queda papel
fault-paper-out-lead = No ha salido ningún papel. Nada se ha perdido.
fault-paper-out-do = Use otro terminal para imprimir.
fault-paper-out-otherwise = Cuando repongan el papel, podrá imprimir aquí.
fault-paper-jam-heading = El papel se ha atascado
fault-paper-jam-lead = No ha salido ningún papel. Nada se ha perdido.
fault-paper-jam-do = No tire del papel. Use otro terminal para imprimir.
fault-paper-jam-otherwise = El papel atascado lo retira y lo destruye un técnico.
fault-printer-open-heading = La impresora está abierta
fault-printer-open-lead = No ha salido ningún papel. Nada se ha perdido.
fault-printer-open-do = No la toque. Use otro terminal para imprimir.
fault-printer-open-otherwise = Cuando la cierren, podrá imprimir aquí.
fault-print-refused-heading = La impresora no aceptó el documento
fault-print-refused-lead = No ha salido ningún papel. Nada se ha perdido.
fault-print-refused-do = Pídalo otra vez.
fault-print-refused-otherwise = Si vuelve a pasar, use otro terminal.
fault-print-uncertain-heading = No sabemos si el papel salió bien
fault-print-uncertain-lead = Mire en la salida de papel.
fault-print-uncertain-do = Si falta o está a medias, pídalo otra vez.
fault-print-uncertain-otherwise = Llévese también el papel a medias: tiene sus datos.
fault-printer-fault-heading = La impresora tiene una avería
fault-printer-fault-lead = No ha salido ningún papel. Nada se ha perdido.
fault-printer-fault-do = Use otro terminal para imprimir.
fault-printer-fault-otherwise = Cuando la arreglen, podrá imprimir aquí.
fault-printer-back-heading = La impresora vuelve a funcionar
fault-printer-back-lead = Nada se ha perdido.
fault-printer-back-do = Ya puede imprimir aquí.
fault-printer-back-otherwise = Si se para otra vez, use otro terminal.

## Documents and data

fault-document-failed-heading = No pudimos preparar este documento
fault-document-failed-lead = No ha salido ningún papel. Nada se ha perdido.
fault-document-failed-do = Pídalo en la oficina y diga el código.
fault-document-failed-otherwise = Lo demás sí funciona en este terminal.
fault-codes-heading = Este terminal no puede dar documentos ahora
fault-codes-lead = No le quedan códigos para probar que un documento es auténtico.
fault-codes-do = Use otro terminal o vaya a la oficina.
fault-codes-otherwise = Cuando vuelva la conexión, podrá imprimir aquí.
fault-not-pre-issued-heading = Este documento no está preparado para usted
fault-not-pre-issued-lead = No es un fallo de su tarjeta ni de su PIN.
fault-not-pre-issued-do = Pídalo en la oficina de atención ciudadana.
fault-not-pre-issued-otherwise = En otro terminal pasará lo mismo.
fault-document-expired-heading = Los datos del documento han caducado
fault-document-expired-lead = Se prepararon hace demasiado tiempo. No ha salido ningún papel.
fault-document-expired-do = Pídalo en la oficina de atención ciudadana.
fault-document-expired-otherwise = Cuando vuelva la conexión, podrá imprimirlo aquí.
fault-too-old-heading = Los datos de este terminal son antiguos
fault-too-old-lead = Por eso hoy no damos documentos ni pedimos el PIN.
fault-too-old-do = Pida el documento en otro terminal o en la oficina.
fault-too-old-otherwise = Su saldo y la recarga sí funcionan.
fault-record-missing-heading = No encontramos sus datos en este terminal
fault-record-missing-lead = Su saldo está bien y la tarjeta funciona.
fault-record-missing-do = Inténtelo mañana o vaya a la oficina.
fault-record-missing-otherwise = Si la tarjeta es nueva, sus datos llegarán solos.
fault-record-corrupt-heading = No pudimos abrir sus datos
fault-record-corrupt-lead = Su saldo está bien y no perderá nada.
fault-record-corrupt-do = Vaya a la oficina y diga el código.
fault-record-corrupt-otherwise = En otro terminal pasará lo mismo.
fault-record-stale-heading = Sus datos cambiaron hace poco
fault-record-stale-lead = Este terminal aún no los tiene. No ha gastado ningún intento.
fault-record-stale-do = Vuelva mañana o vaya a la oficina.
fault-record-stale-otherwise = Su saldo y sus servicios sí se ven.
fault-cache-heading = Este terminal está cargando los datos
fault-cache-lead = Su saldo está bien y la tarjeta funciona.
fault-cache-do = Espere unos minutos o use otro terminal.
fault-cache-otherwise = Si sigue igual mañana, llámenos y diga el código.

## The PIN

fault-pin-locked-heading = Su PIN está bloqueado
fault-pin-locked-lead = Se tecleó mal demasiadas veces. Su saldo sigue disponible.
fault-pin-locked-do = En la oficina lo desbloquean con su documento de identidad.
fault-pin-locked-otherwise = Sin PIN no se imprimen documentos. La recarga sí funciona.
fault-pin-never-set-heading = Su tarjeta aún no tiene PIN
fault-pin-never-set-lead = El PIN protege sus documentos.
fault-pin-never-set-do = Pídalo en la oficina. Se lo dan al momento.
fault-pin-never-set-otherwise = Su saldo, sus servicios y la recarga funcionan sin PIN.

## The terminal itself

fault-journal-heading = Esto no se puede hacer aquí ahora
fault-journal-lead = Un técnico tiene que revisar el terminal. No se ha perdido nada.
fault-journal-do = Use otro terminal o vaya a la oficina.
fault-journal-otherwise = Su saldo y sus servicios sí se ven aquí.
fault-disk-heading = Este terminal no puede guardar más datos
fault-disk-lead = No se le ha cobrado nada y no se ha perdido nada.
fault-disk-do = Use otro terminal o vaya a la oficina.
fault-disk-otherwise = Su saldo y sus servicios sí se ven aquí.
fault-clock-heading = El reloj de este terminal no va bien
fault-clock-lead = Sin la hora no cobramos ni damos documentos. Nada se ha perdido.
fault-clock-do = Use otro terminal o vaya a la oficina.
fault-clock-otherwise = Su saldo y sus servicios sí se ven aquí.
fault-other-heading = Algo no ha ido bien
fault-other-lead = No se ha perdido nada.
fault-other-do = Vuelva a intentarlo o use otro terminal.
fault-other-otherwise = Si vuelve a pasar, llámenos y diga el código.
