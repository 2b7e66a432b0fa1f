# The terminal can serve nobody.
closed-title = Terminal ciudadano
closed-heading = Este terminal no funciona ahora
closed-reader = No puede leer tarjetas. Su tarjeta y su saldo están bien.
closed-out-of-order = Lo estamos revisando. Su tarjeta y su saldo están bien.
closed-configuration = Le falta un ajuste técnico. Su tarjeta y su saldo están bien.
closed-other = Su tarjeta y su saldo están bien.
closed-terminal = Use otro terminal de la ciudad.
closed-office = O vaya a la oficina de atención ciudadana.
