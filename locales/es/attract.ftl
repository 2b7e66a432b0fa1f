# Before a card is laid down.
attract-heading = Ponga su tarjeta en la bandeja
attract-lead = Déjela ahí hasta terminar.
attract-offer-balance = Ver y recargar el saldo
attract-offer-documents = Imprimir documentos
attract-offer-services = Ver sus servicios
attract-reading = Leyendo su tarjeta
attract-reading-lead = Es solo un momento. No la mueva.
