# What the city gives on paper. Dates, amounts and telephones arrive formatted.

## On every paper

paper-terminal = Terminal ciudadanu { $number } · { $place }
paper-contact = { $city } · Atención a la ciudadanía: { $telephone }
paper-page = Páxina { $page } de { $pages }
paper-fold = Doble o corte per equí
paper-offline-mark = OFFLINE
paper-offline-note = Espidióse ensin conexón, colos datos del { $date }. El códigu va poder comprobase cuando’l terminal vuelva tener conexón. Hasta entós, nun lu acepte namás pol códigu.

## Volante de empadronamiento

paper-volante-title = Volante d’empadronamientu
paper-volante-kind = Individual
paper-volante-sentence = Según los datos del padrón municipal d’habitantes a { $date }, la persona que s’indica ta inscrita en { $city } colos datos siguientes:
paper-volante-name = Nome y apellíos
paper-volante-identity = Documentu d’identidá
paper-volante-birth = Data de nacimientu
paper-volante-address = Domiciliu
paper-volante-district = Distritu y sección
paper-volante-registered = Data d’inscripción
paper-volante-data-date = Datos a data de
paper-volante-issued = Data d’espedición
paper-volante-valid = Vixencia orientativa hasta
paper-volante-purpose = Espídese a petición de la persona interesada y tien calter informativu. Quien lu reciba decide cuántu tiempu lu admite; l’Ayuntamientu aconseya hasta’l { $date }.
paper-volante-legal = Documentu espidíu per aciu d’actuación alministrativa automatizada; órganu responsable: { $office }, { $city } (artículos 41 y 42 de la Llei 40/2015, d’1 d’ochobre). Esti papel ye copia d’un documentu electrónicu y el so códigu seguru de verificación permite contrastalu col archivu del órganu emisor (artículu 27.3.c de la Llei 39/2015, d’1 d’ochobre). El volante informa de los datos del padrón: nun ye un certificáu d’empadronamientu nin lu sustituye cuando una norma lo esixa.

## Comprobación

paper-check-title = Compruebe esti documentu
paper-check-how = Llea’l códigu QR con un teléfonu. Tamién pue escribir el códigu seguru de verificación en { $url }. Ye de baldre y nun fai falta rexistrase.
paper-check-code = Códigu seguru de verificación (CSV)
paper-check-compare = Namás val si coincide colo que ve al comprobalu.

## Justificante de recarga

paper-receipt-title = Recibu de recarga
paper-receipt-kind = Tarxeta ciudadana acabada en { $digits }
paper-receipt-before = Saldu anterior
paper-receipt-amount = Recarga
paper-receipt-after = Saldu nuevu
paper-receipt-done = La recarga
paper-receipt-when = Data y hora
paper-receipt-operation = Operación
paper-receipt-product = Productu
paper-receipt-terminal = Terminal
paper-receipt-tax-number = NIF municipal
paper-receipt-read-back = El saldu nuevu lleóse de la tarxeta al acabar la recarga.
paper-receipt-payment = El pagu con tarxeta bancaria
paper-receipt-scheme = Tarxeta
paper-receipt-authorisation = Autorización
paper-receipt-payment-terminal = Terminal de pagu
paper-receipt-trace = Númberu de traza
paper-receipt-number = Recibu del bancu
paper-receipt-copy = COPIA PAL CLIENTE
paper-receipt-charged = Importe cobráu
paper-receipt-entry = Llectura
paper-receipt-entry-contactless = Ensin contactu
paper-receipt-entry-chip = Chip
paper-receipt-entry-stripe = Banda magnética
paper-receipt-check-pin = PIN comprobáu
paper-receipt-check-signature = robla
paper-receipt-check-nothing = ensin PIN
paper-receipt-application = Aplicación (AID)
paper-receipt-nature = Recargar guarda dineru na so tarxeta; nun ye una compra. Esti papel xustifica’l pagu y nun ye una factura.
paper-receipt-no-invoice = Nun ye una factura.
paper-receipt-void-title = Anulación del pagu
paper-receipt-void-done = L’anulación
paper-receipt-void-amount = Devueltu
paper-receipt-void-charged = Importe anuláu
paper-receipt-void-note = Nun se-y cobró nada y la so tarxeta ciudadana nun camudó. Si’l so bancu yá amuesa’l cargu, va retiralu nunos díes.
paper-receipt-keep = Guarde esti recibu. Si daqué nun cuadra, llame al { $telephone } y diga’l númberu d’operación { $operation }.

## Resguardo de reclamación

paper-claim-title = Resguardu de reclamación
paper-claim-safe = El so dineru ta seguro.
paper-claim-happened = Nun fuimos a acabar la recarga de { $amount } del { $moment }. Queda por aclarar el cobru, el saldu o les dos coses.
paper-claim-code = Códigu de la so reclamación
paper-claim-amount = Importe
paper-claim-telephone = Teléfonu
paper-claim-now = Ponga la mesma tarxeta nesti terminal, güei o otru día. Comprobámoslo nel momentu.
paper-claim-credited = Si la recarga llegó, el saldu yá ta na tarxeta. Nun tien que facer nada más.
paper-claim-otherwise = Si nun llegó y se cobró, completámosla o devolvémos-y { $amount }. Si nun pue volver, llame al { $telephone } y diga’l so códigu.
paper-claim-when = Data y hora
paper-claim-card = Tarxeta acabada en
paper-claim-operation = Operación
paper-claim-payment = Recibu del pagu

## Informe de estado del terminal

paper-readiness-part = Parte
paper-readiness-verdict = Resultáu
paper-readiness-note = Detalle
