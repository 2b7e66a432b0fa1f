# Before a card is laid down.
attract-heading = Put your card in the tray
attract-lead = Leave it there until you finish.
attract-offer-balance = See and top up your balance
attract-offer-documents = Print documents
attract-offer-services = See your services
attract-reading = Reading your card
attract-reading-lead = This only takes a moment. Do not move it.
