# Before a card is laid down.
attract-heading = Ponga la so tarxeta na bandexa
attract-lead = Déxela ehí hasta acabar.
attract-offer-balance = Ver y recargar el saldu
attract-offer-documents = Imprentar documentos
attract-offer-services = Ver los sos servicios
attract-reading = Lleendo la so tarxeta
attract-reading-lead = Ye namás un momentu. Nun la mueva.
