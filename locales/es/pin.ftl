# The PIN.
pin-heading = Teclee su PIN
pin-lead = Es el PIN de su tarjeta ciudadana. Lo pedimos para: { $document }.
pin-lead-service = Es el PIN de su tarjeta de servicio.
pin-checking = Comprobamos su PIN
pin-erase = Borrar
pin-confirm = Continuar
pin-wrong-title = Ese PIN no es correcto.
pin-wrong-text = { $left ->
    [one] Le queda un intento.
   *[other] Le quedan { $left } intentos.
}

# The PIN is forgotten.
pin-forgot = He olvidado mi PIN
pin-forgot-heading = Puede pedir un PIN nuevo
pin-forgot-lead = Si no está seguro, es mejor no probar más.
pin-forgot-where = Dónde
pin-forgot-where-office = En la oficina de atención, en el momento
pin-forgot-where-technicians = En la oficina que le dio la tarjeta
pin-forgot-bring = Qué llevar
pin-forgot-bring-identity = Su documento de identidad y esta tarjeta
pin-forgot-call = Teléfono
pin-forgot-without = Sin PIN
pin-forgot-without-rest = Saldo, recargas, servicios y movimientos
pin-again = Volver a teclear el PIN
