# What the city gives on paper. Dates, amounts and telephones arrive formatted.

## On every paper

paper-terminal = Terminal ciudadano { $number } · { $place }
paper-contact = { $city } · Atención ciudadana: { $telephone }
paper-page = Página { $page } de { $pages }
paper-fold = Doble o corte por aquí
paper-offline-mark = OFFLINE
paper-offline-note = Expedido sin conexión, con los datos del { $date }. El código se podrá comprobar cuando el terminal vuelva a tener conexión. Hasta entonces, no lo acepte solo por el código.

## Volante de empadronamiento

paper-volante-title = Volante de empadronamiento
paper-volante-kind = Individual
paper-volante-sentence = Según los datos del padrón municipal de habitantes a { $date }, la persona que se indica está inscrita en { $city } con los datos siguientes:
paper-volante-name = Nombre y apellidos
paper-volante-identity = Documento de identidad
paper-volante-birth = Fecha de nacimiento
paper-volante-address = Domicilio
paper-volante-district = Distrito y sección
paper-volante-registered = Fecha de inscripción
paper-volante-data-date = Datos a fecha de
paper-volante-issued = Expedido el
paper-volante-valid = Vigencia orientativa hasta
paper-volante-purpose = Se expide a petición de la persona interesada y tiene carácter informativo. Quien lo reciba decide cuánto tiempo lo admite; el Ayuntamiento aconseja hasta el { $date }.
paper-volante-legal = Documento expedido mediante actuación administrativa automatizada; órgano responsable: { $office }, { $city } (artículos 41 y 42 de la Ley 40/2015, de 1 de octubre). Este papel es copia de un documento electrónico y su código seguro de verificación permite contrastarlo con el archivo del órgano emisor (artículo 27.3.c de la Ley 39/2015, de 1 de octubre). El volante informa de los datos del padrón: no es un certificado de empadronamiento ni lo sustituye cuando una norma lo exija.

## Comprobación

paper-check-title = Compruebe este documento
paper-check-how = Lea el código QR con un teléfono. También puede escribir el código seguro de verificación en { $url }. Es gratis y no hace falta registrarse.
paper-check-code = Código seguro de verificación (CSV)
paper-check-compare = Solo vale si coincide con lo que ve al comprobarlo.

## Justificante de recarga

paper-receipt-title = Recibo de recarga
paper-receipt-kind = Tarjeta ciudadana terminada en { $digits }
paper-receipt-before = Saldo anterior
paper-receipt-amount = Recarga
paper-receipt-after = Saldo nuevo
paper-receipt-done = La recarga
paper-receipt-when = Fecha y hora
paper-receipt-operation = Operación
paper-receipt-product = Producto
paper-receipt-terminal = Terminal
paper-receipt-tax-number = NIF municipal
paper-receipt-read-back = El saldo nuevo se leyó de la tarjeta al terminar la recarga.
paper-receipt-payment = El pago con tarjeta bancaria
paper-receipt-scheme = Tarjeta
paper-receipt-authorisation = Autorización
paper-receipt-payment-terminal = Terminal de pago
paper-receipt-trace = Número de traza
paper-receipt-number = Recibo del banco
paper-receipt-copy = COPIA PARA EL CLIENTE
paper-receipt-charged = Importe cobrado
paper-receipt-entry = Lectura
paper-receipt-entry-contactless = Sin contacto
paper-receipt-entry-chip = Chip
paper-receipt-entry-stripe = Banda magnética
paper-receipt-check-pin = PIN verificado
paper-receipt-check-signature = firma
paper-receipt-check-nothing = sin PIN
paper-receipt-application = Aplicación (AID)
paper-receipt-nature = Recargar guarda dinero en su tarjeta; no es una compra. Este papel justifica el pago y no es una factura.
paper-receipt-no-invoice = No es una factura.
paper-receipt-void-title = Anulación del pago
paper-receipt-void-done = La anulación
paper-receipt-void-amount = Devuelto
paper-receipt-void-charged = Importe anulado
paper-receipt-void-note = No se le ha cobrado nada y su tarjeta ciudadana no ha cambiado. Si su banco ya muestra el cargo, lo retirará en unos días.
paper-receipt-keep = Conserve este recibo. Si algo no cuadra, llame al { $telephone } y diga el número de operación { $operation }.

## Resguardo de reclamación

paper-claim-title = Resguardo de reclamación
paper-claim-safe = Su dinero está a salvo.
paper-claim-happened = No pudimos terminar la recarga de { $amount } del { $moment }. Queda por aclarar el cobro, el saldo o las dos cosas.
paper-claim-code = Código de su reclamación
paper-claim-amount = Importe
paper-claim-telephone = Teléfono
paper-claim-now = Ponga la misma tarjeta en este terminal, hoy u otro día. Lo comprobamos al momento.
paper-claim-credited = Si la recarga llegó, el saldo ya está en la tarjeta. No tiene que hacer nada más.
paper-claim-otherwise = Si no llegó y se cobró, la completamos o le devolvemos { $amount }. Si no puede volver, llame al { $telephone } y diga su código.
paper-claim-when = Fecha y hora
paper-claim-card = Tarjeta terminada en
paper-claim-operation = Operación
paper-claim-payment = Recibo del pago

## Informe de estado del terminal

paper-readiness-part = Parte
paper-readiness-verdict = Resultado
paper-readiness-note = Detalle
