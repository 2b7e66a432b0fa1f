# What every screen shares.
common-language = Language
common-language-name = English
common-money = { $sign }€{ $amount }
common-date-time = { $date }, { $time }
common-step = Step { $current } of { $total }
common-code = Code { $code }
common-moment-today = today at { $time }
common-moment = on { $date } at { $time }
common-call = Need help? Call { $telephone }.

common-card-in-tray = Your card is in the tray
common-card-lifted = The card is not in the tray
common-lifted = Have you finished?
common-lifted-lead = You can go. To continue, put the card back.
common-covered = Your details are covered
common-covered-lead = No one else can see them. Your visit is still open.
common-crowded = Leave just one card
common-crowded-lead = There are two cards in the tray. Remove the other one. Code C-11.
common-unreadable = We cannot read your card
common-unreadable-lead = Lay it alone, flat and in the middle. Code C-03.
common-reader-gone = The card reader is not responding
common-reader-gone-lead = Wait a moment. Leave the card in the tray. Code C-01.
common-uncover = Show again

common-still-there = Are you still there?
common-still-there-lead = If you do not touch the screen, the visit ends. You will not lose anything.
common-stay = I need more time

common-finish = Finish
common-finish-now = Finish and take the card
common-back = Back
common-home = Back to start
common-close = OK
common-next-page = Show more
common-language-heading = Which language would you like to use?
common-cancel-choice = Leave it as it is
common-looks = Letters
common-looks-heading = How do you see the screen best?
common-looks-lead = Touch what you want to change. You will see it straight away.
common-letters = Large letters
common-contrast = More contrast
common-more-time = More time
common-simple = Fewer choices at once
common-chosen = Continue like this
common-cover = Cover
common-help = Help
