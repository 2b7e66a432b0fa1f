# The PIN.
pin-heading = Enter your PIN
pin-lead = This is your citizen card PIN. We need it for: { $document }.
pin-lead-service = This is the PIN of your service card.
pin-checking = Checking your PIN
pin-erase = Delete
pin-confirm = Continue
pin-wrong-title = That PIN is not correct.
pin-wrong-text = { $left ->
    [one] You have one try left.
   *[other] You have { $left } tries left.
}

# The PIN is forgotten.
pin-forgot = I have forgotten my PIN
pin-forgot-heading = You can ask for a new PIN
pin-forgot-lead = If you are not sure, it is better to stop trying.
pin-forgot-where = Where
pin-forgot-where-office = At the citizens’ office, straight away
pin-forgot-where-technicians = At the office that gave you the card
pin-forgot-bring = What to bring
pin-forgot-bring-identity = Your identity document and this card
pin-forgot-call = Telephone
pin-forgot-without = Without a PIN
pin-forgot-without-rest = Balance, top-ups, services and card use
pin-again = Enter the PIN again
