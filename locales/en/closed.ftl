# The terminal can serve nobody.
closed-title = Citizens’ terminal
closed-heading = This terminal is not working at the moment
closed-reader = It cannot read cards. Your card and your balance are fine.
closed-out-of-order = We are checking it. Your card and your balance are fine.
closed-configuration = A technical setting is missing. Your card and your balance are fine.
closed-other = Your card and your balance are fine.
closed-terminal = Use another terminal in the city.
closed-office = Or go to the citizens’ office.
