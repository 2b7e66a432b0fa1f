# What the city gives on paper. Dates, amounts and telephones arrive formatted.

## On every paper

paper-terminal = Citizens’ terminal { $number } · { $place }
paper-contact = { $city } · Citizens’ helpline: { $telephone }
paper-page = Page { $page } of { $pages }
paper-fold = Fold or cut here
paper-offline-mark = OFFLINE
paper-offline-note = Issued without a connection, with details as of { $date }. The code can be checked once the terminal is connected again. Until then, do not accept it on the code alone.

## Volante de empadronamiento

paper-volante-title = Certificate of address (volante de empadronamiento)
paper-volante-kind = Individual
paper-volante-sentence = According to the municipal register of residents on { $date }, the person named here is registered in { $city } with these details:
paper-volante-name = Full name
paper-volante-identity = Identity document
paper-volante-birth = Date of birth
paper-volante-address = Address
paper-volante-district = District and section
paper-volante-registered = Registered on
paper-volante-data-date = Details as of
paper-volante-issued = Issued on
paper-volante-valid = Suggested validity until
paper-volante-purpose = Issued at the request of the person concerned, for information. Whoever receives it decides how long to accept it; the City Council suggests until { $date }.
paper-volante-legal = Issued by automated administrative action; body responsible: { $office }, { $city } (articles 41 and 42 of Spanish Act 40/2015 of 1 October). This paper is a copy of an electronic document; its secure verification code lets it be compared with the archive of the issuing body (article 27.3.c of Spanish Act 39/2015 of 1 October). It informs about the register of residents: it is not a certificado de empadronamiento and does not replace one where a rule demands it.

## Comprobación

paper-check-title = Check this document
paper-check-how = Read the QR code with a phone. You can also enter the secure verification code at { $url }. It is free and you do not need to register.
paper-check-code = Secure verification code (CSV)
paper-check-compare = It is only valid if it matches what you see when you check it.

## Justificante de recarga

paper-receipt-title = Top-up receipt
paper-receipt-kind = Citizen card ending in { $digits }
paper-receipt-before = Previous balance
paper-receipt-amount = Top-up
paper-receipt-after = New balance
paper-receipt-done = The top-up
paper-receipt-when = Date and time
paper-receipt-operation = Operation
paper-receipt-product = Product
paper-receipt-terminal = Terminal
paper-receipt-tax-number = City tax no. (NIF)
paper-receipt-read-back = The new balance was read from the card after the top-up.
paper-receipt-payment = The bank card payment
paper-receipt-scheme = Card
paper-receipt-authorisation = Authorisation
paper-receipt-payment-terminal = Payment terminal
paper-receipt-trace = Trace number
paper-receipt-number = Bank receipt
paper-receipt-copy = CUSTOMER COPY
paper-receipt-charged = Amount charged
paper-receipt-entry = Card read
paper-receipt-entry-contactless = Contactless
paper-receipt-entry-chip = Chip
paper-receipt-entry-stripe = Magnetic stripe
paper-receipt-check-pin = PIN verified
paper-receipt-check-signature = signature
paper-receipt-check-nothing = no PIN
paper-receipt-application = Application (AID)
paper-receipt-nature = A top-up keeps money on your card; it is not a purchase. This paper proves the payment and is not an invoice.
paper-receipt-no-invoice = This is not an invoice.
paper-receipt-void-title = Payment cancelled
paper-receipt-void-done = The cancellation
paper-receipt-void-amount = Given back
paper-receipt-void-charged = Amount cancelled
paper-receipt-void-note = You were not charged and your citizen card has not changed. If your bank already shows the charge, it will remove it within a few days.
paper-receipt-keep = Keep this receipt. If something is not right, call { $telephone } and give operation number { $operation }.

## Resguardo de reclamación

paper-claim-title = Claim slip
paper-claim-safe = Your money is safe.
paper-claim-happened = We could not finish the top-up of { $amount } on { $moment }. We still have to clear up the charge, the balance or both.
paper-claim-code = Your claim code
paper-claim-amount = Amount
paper-claim-telephone = Telephone
paper-claim-now = Put the same card in this terminal, today or another day. We will check it straight away.
paper-claim-credited = If the top-up arrived, the money is already on the card. You need do nothing more.
paper-claim-otherwise = If it did not arrive and you were charged, we complete it or refund { $amount }. If you cannot come back, call { $telephone } and give your code.
paper-claim-when = Date and time
paper-claim-card = Card ending in
paper-claim-operation = Operation
paper-claim-payment = Payment receipt

## Informe de estado del terminal

paper-readiness-part = Part
paper-readiness-verdict = Result
paper-readiness-note = Details
