# What is out of the ordinary, and what it means here.
notice-offline-title = Connection lost { $since }.
notice-offline-text = Details were updated { $as-of }. { $days ->
    [0] Today is the last day to print documents here.
    [one] You can print documents here for one more day.
   *[other] You can print documents here for { $days } more days.
}
notice-offline-too-old = Details were updated { $as-of }. Documents can no longer be printed here.
notice-offline-no-data = You can see your balance, but not your services.
notice-too-old-title = The details in this terminal are old.
notice-too-old-text = They were updated { $as-of }. No documents can be printed here today.
notice-no-data-title = This terminal is loading its data.
notice-no-data-text = Meanwhile you can see your balance, but not your services.
notice-no-payment-title = You cannot top up here at the moment.
notice-no-payment-text = You can see your balance and your services.
notice-day-ending-title = You cannot top up here at the moment.
notice-day-ending-text = The payment reader is closing its day. It takes a few minutes.
notice-blocked-title = You cannot top up here at the moment.
notice-blocked-text = An earlier payment has not been settled. Everything else works.
notice-printer-absent = The printer is not responding.
notice-printer-paper = The printer has no paper.
notice-printer-jam = The printer is jammed.
notice-printer-open = The printer is open.
notice-printer-fault = The printer is broken.
notice-printer-text = No documents or receipts can be printed at the moment. Everything else works.
notice-journal-title = This terminal needs checking.
notice-journal-text = You cannot top up or use your PIN here. Everything else works.
notice-disk-title = This terminal cannot store any more data.
notice-disk-text = You cannot top up or use your PIN here. Everything else works.
notice-clock-title = The clock of this terminal is wrong.
notice-clock-text = You cannot top up or use your PIN here. Everything else works.
notice-settled-title = Your unfinished top-up of { $amount } is now complete.
notice-settled-text = It is already in your balance.
notice-pending-title = Your top-up of { $amount } is still open.
notice-pending-text = Code { $code }. We are looking into it. Questions? Call { $telephone }.
notice-no-record-title = We cannot find your services.
notice-no-record-text = Your balance does work. Ask at the office.
notice-no-record-online-title = We cannot find your services.
notice-no-record-online-text = Your balance and topping up do work. Ask at the office.
notice-card-old-title = Your card is one of the first.
notice-card-old-text = It is exchanged free of charge. Where: { $office }.
notice-general-title = These are the general prices.
notice-general-text = Yours may differ. Ask at the office.
notice-price-unknown-title = This terminal does not know your rate.
notice-price-unknown-text = You are seeing the general prices. The office can tell you yours.
notice-purse-title = The balance on your card needs checking.
notice-purse-text = Take it to the office. You will not lose anything.
notice-as-of-title = Details updated { $as-of }.
notice-as-of-text = They may have changed since then.
