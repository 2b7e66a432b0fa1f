# The top-up.
topup-heading = ¿Cuánto quiere recargar?
topup-purse-full = No cabe tanto saldo. Elija menos.
topup-limit = Esa cantidad supera su límite de hoy. Elija menos.
topup-now = Saldo ahora
topup-plus = Recarga
topup-after = Saldo después
topup-before = Saldo anterior
topup-new = Saldo nuevo
topup-pay = Pagar { $amount }
topup-cancel = No pagar y volver

topup-checking = Un momento
topup-checking-lead = Comprobamos su tarjeta antes de cobrar.
topup-present-card = Acerque su tarjeta bancaria
topup-present-card-lead = Use el lector de pago. Deje la otra tarjeta en la bandeja.
topup-card-away = Vuelva a poner la tarjeta ciudadana
topup-card-away-lead = Hace falta en la bandeja para cargar el saldo.
topup-enter-pin = Teclee el PIN de su banco
topup-enter-pin-lead = Hágalo en el lector de pago, no en esta pantalla.
topup-asking-bank = Preguntamos a su banco
topup-asking-bank-lead = Tarda unos segundos. Deje la tarjeta en la bandeja.
topup-take-card = Retire su tarjeta bancaria
topup-take-card-lead = Deje la tarjeta ciudadana en la bandeja.
topup-working = El pago está en marcha
topup-working-lead = Siga las indicaciones del lector de pago.
topup-resolving = Preguntamos si se ha cobrado
topup-resolving-lead = Se cortó la línea de pago. Su dinero está a salvo.
topup-crediting = Recargando su tarjeta
topup-crediting-lead = No la mueva de la bandeja.
topup-put-back = Vuelva a poner su tarjeta
topup-put-back-lead = El pago está hecho y falta cargar el saldo.
topup-giving-back = Anulamos el pago
topup-giving-back-lead = No se le cobrará nada.

topup-done = Recarga hecha
topup-receipt = Imprimir recibo
topup-receipt-out = Recoja su recibo.
topup-receipt-failed = El recibo no se pudo imprimir ({ $code }). La recarga está hecha.
topup-reference = Número de operación
topup-again = Recargar otra vez

topup-torn = La tarjeta se retiró antes de terminar
topup-torn-checking = Comprobamos si entró la recarga
topup-safe = Su dinero está a salvo.
topup-torn-again = Póngala otra vez y lo comprobamos ahora.
topup-torn-later = O póngala otro día. Si no entraron los { $amount }, los cargaremos entonces.
topup-unclear = No sabemos si el banco ha cobrado
topup-unclear-again = No pague otra vez. Lo aclaramos con el banco.
topup-unclear-later = Si se cobraron los { $amount }, los recibirá en su tarjeta o se los devolveremos.
topup-claim = Código de su reclamación
topup-print-claim = Imprimir resguardo

topup-cancelling = Cancelando el pago
topup-cancelling-lead = Espere un momento. No acerque la tarjeta.
topup-torn-wait = Espere un momento. No retire la tarjeta.
topup-claim-out = Recoja su resguardo.
topup-claim-failed = El resguardo no se pudo imprimir ({ $code }). Anote el código.
