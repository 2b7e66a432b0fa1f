# The help of each screen.
help-heading = Ayuda
help-telephone = Si prefiere hablar con una persona, llame al { $telephone }.
help-attract-first = Ponga la tarjeta ciudadana en la bandeja, debajo de la pantalla.
help-attract-then = Déjela ahí mientras use el terminal.
help-home-first = Toque lo que necesite. Puede volver atrás siempre.
help-home-then = Para terminar, toque «Terminar» o retire la tarjeta.
help-topup-first = Elija una cantidad y pague con su tarjeta bancaria.
help-topup-then = No retire la tarjeta ciudadana hasta ver el nuevo saldo.
help-pin-first = Es el PIN que le dieron con la tarjeta ciudadana.
help-pin-then = Si lo olvidó, en la oficina le darán otro.
help-document-first = El papel lleva un código para comprobar que es auténtico.
help-document-then = Los datos son los del padrón municipal.
help-trouble-first = Lea qué ha pasado y qué puede hacer.
help-trouble-then = Anote el código si va a llamar por teléfono.
