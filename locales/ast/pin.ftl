# The PIN.
pin-heading = Teclee’l so PIN
pin-lead = Ye’l PIN de la so tarxeta ciudadana. Pidímoslu pa: { $document }.
pin-lead-service = Ye’l PIN de la so tarxeta de serviciu.
pin-checking = Comprobamos el so PIN
pin-erase = Borrar
pin-confirm = Siguir
pin-wrong-title = Esi PIN nun ye correctu.
pin-wrong-text = { $left ->
    [one] Quéda-y un intentu.
   *[other] Quéden-y { $left } intentos.
}

# The PIN is forgotten.
pin-forgot = Escaecí’l mio PIN
pin-forgot-heading = Pue pidir un PIN nuevu
pin-forgot-lead = Si nun ta seguru, ye meyor nun probar más.
pin-forgot-where = Ónde
pin-forgot-where-office = Na oficina d’atención, nel momentu
pin-forgot-where-technicians = Na oficina que-y dio la tarxeta
pin-forgot-bring = Qué tien que llevar
pin-forgot-bring-identity = El so documentu d’identidá y esta tarxeta
pin-forgot-call = Teléfonu
pin-forgot-without = Ensin PIN
pin-forgot-without-rest = Saldu, recargues, servicios y movimientos
pin-again = Volver teclear el PIN
