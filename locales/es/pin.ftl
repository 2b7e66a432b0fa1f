# The PIN.
pin-heading = Teclee su PIN
pin-lead = Es el PIN de su tarjeta ciudadana. Lo pedimos para: { $document }.
pin-checking = Comprobamos su PIN
pin-digit = Cifra
pin-erase = Borrar
pin-confirm = Continuar
pin-wrong-title = Ese PIN no es correcto.
pin-wrong-text = { $left ->
    [one] Le queda un intento.
   *[other] Le quedan { $left } intentos.
}
