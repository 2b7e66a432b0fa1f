# What went wrong. For each: what happened, what is certain, what to do now, and what happens otherwise.

## The card

fault-card-foreign-heading = This is not a citizen card
fault-card-foreign-lead = We have not read anything from it.
fault-card-foreign-do = Remove it and put your citizen card in the tray.
fault-card-foreign-otherwise = Bank cards and phones do not work in this tray.
fault-card-other-city-heading = This card is from another city
fault-card-other-city-lead = We have not changed anything on it.
fault-card-other-city-do = Remove it and use a card from this city.
fault-card-other-city-otherwise = If you think it is from here, take it to the office.
fault-card-unreadable-heading = We could not read your card
fault-card-unreadable-lead = Nothing on it has changed.
fault-card-unreadable-do = Take it out of your wallet and lay it alone, flat, in the middle.
fault-card-unreadable-otherwise = If it cannot be read, try another terminal or go to the office.
fault-card-damaged-heading = Your card is damaged
fault-card-damaged-lead = Some of its data is missing or incomplete. You will not lose anything.
fault-card-damaged-do = Take it to the office. They will replace it.
fault-card-damaged-otherwise = The same will happen at another terminal.
fault-card-revoked-heading = This card is no longer valid
fault-card-revoked-lead = It has been cancelled or replaced.
fault-card-revoked-do = Use your new card or go to the office.
fault-card-revoked-otherwise = If you have found it, hand it in at the office.
fault-purse-check-heading = Your balance needs checking
fault-purse-check-lead = It is not your fault and you will not lose anything.
fault-purse-check-do = Take the card to the citizens’ office.
fault-purse-check-otherwise = Until then you cannot top up. Everything else works.
fault-credit-key-heading = Your card cannot be topped up at the moment
fault-credit-key-lead = You have not been charged.
fault-credit-key-do = Remove it, put it back and try again.
fault-credit-key-otherwise = If it happens again, take it to the office.
fault-card-lifted-heading = The card was removed too soon
fault-card-lifted-lead = The payment of { $amount } has been cancelled. You will not be charged.
fault-card-lifted-do = If you wish, you can start again.
fault-card-lifted-otherwise = Leave the card in the tray until you see the new balance.
fault-counter-moved-heading = The card changed during the payment
fault-counter-moved-lead = You have not been charged.
fault-counter-moved-do = Start the top-up again.
fault-counter-moved-otherwise = If it happens again, take it to the office.
fault-purse-full-heading = Your card cannot hold that much
fault-purse-full-lead = You have not been charged.
fault-purse-full-do = Spend some of your balance and top up later.
fault-purse-full-otherwise = The card can hold up to { $purse-max }.
fault-card-swapped-heading = This is not the card you started with
fault-card-swapped-lead = We have not done anything with it.
fault-card-swapped-do = Remove it. Then put only one card in the tray.
fault-card-swapped-otherwise = Your first visit has ended and nothing was lost.

## The payment

fault-voided-lead = The payment of { $amount } has been cancelled. You will not be charged.
fault-payment-absent-heading = You cannot top up here at the moment
fault-payment-absent-lead = The payment reader is not responding. You have not been charged.
fault-payment-absent-do = Use another terminal or try again later.
fault-payment-absent-otherwise = Your balance, services and documents do work.
fault-payment-refused-heading = The bank did not accept the payment
fault-payment-refused-lead = You have not been charged.
fault-payment-refused-do = Try another bank card.
fault-payment-refused-otherwise = If you do not have another one, ask your bank.
fault-payment-cancelled-heading = The payment was cancelled
fault-payment-cancelled-lead = You have not been charged.
fault-payment-cancelled-do = You can start again whenever you like.
fault-payment-cancelled-otherwise = If you do not, your balance stays the same.
fault-payment-unknown-heading = We do not know if the bank has charged you
fault-payment-unknown-lead = Your money is safe.
fault-payment-unknown-do = Do not pay again. We will sort it out with the bank.
fault-payment-unknown-otherwise = If you were charged, we will add it to your card or refund it.
fault-payment-mismatch-heading = The payment reader asked for a different amount
fault-payment-mismatch-lead = We have cancelled the payment. You will not be charged.
fault-payment-mismatch-do = Use another terminal to top up.
fault-payment-mismatch-otherwise = If your bank shows a charge, call us and we will sort it out.
fault-payment-blocked-heading = An earlier payment has not been settled
fault-payment-blocked-lead = You have not been charged for this top-up.
fault-payment-blocked-do = Wait a moment and try again.
fault-payment-blocked-otherwise = If nothing changes, use another terminal.
fault-payment-back-heading = You can top up here again
fault-payment-back-lead = The payment reader is responding again. You have not been charged.
fault-payment-back-do = Start the top-up again.
fault-payment-back-otherwise = If you do not, your balance stays the same.
fault-topup-limit-heading = You have reached your top-up limit for today
fault-topup-limit-lead = You have not been charged.
fault-topup-limit-do = Come back tomorrow to top up more.
fault-topup-limit-otherwise = Each card can be topped up by { $daily-max } a day.
fault-float-heading = This terminal cannot top up any more today
fault-float-lead = You have not been charged.
fault-float-do = Use another terminal to top up.
fault-float-otherwise = You can top up here again tomorrow.

## The printer

fault-printer-absent-heading = The printer is not responding
fault-printer-absent-lead = No paper has come out. Nothing has been lost.
fault-printer-absent-do = Use another terminal to print.
fault-printer-absent-otherwise = If it works again, we will tell you here.
fault-paper-out-heading = There is no paper left
fault-paper-out-lead = No paper has come out. Nothing has been lost.
fault-paper-out-do = Use another terminal to print.
fault-paper-out-otherwise = Once the paper is refilled, you can print here.
fault-paper-jam-heading = The paper is jammed
fault-paper-jam-lead = No paper has come out. Nothing has been lost.
fault-paper-jam-do = Do not pull the paper. Use another terminal to print.
fault-paper-jam-otherwise = A technician will remove and destroy the jammed paper.
fault-printer-open-heading = The printer is open
fault-printer-open-lead = No paper has come out. Nothing has been lost.
fault-printer-open-do = Do not touch it. Use another terminal to print.
fault-printer-open-otherwise = Once it is closed, you can print here.
fault-print-refused-heading = The printer did not accept the document
fault-print-refused-lead = No paper has come out. Nothing has been lost.
fault-print-refused-do = Ask for it again.
fault-print-refused-otherwise = If it happens again, use another terminal.
fault-print-uncertain-heading = We do not know if the paper came out properly
fault-print-uncertain-lead = Look where the paper comes out.
fault-print-uncertain-do = If it is missing or incomplete, ask for it again.
fault-print-uncertain-otherwise = Take any incomplete sheet with you: it has your details on it.
fault-printer-fault-heading = The printer is broken
fault-printer-fault-lead = No paper has come out. Nothing has been lost.
fault-printer-fault-do = Use another terminal to print.
fault-printer-fault-otherwise = Once it is repaired, you can print here.
fault-printer-back-heading = The printer is working again
fault-printer-back-lead = Nothing has been lost.
fault-printer-back-do = You can print here now.
fault-printer-back-otherwise = If it stops again, use another terminal.

## Documents and data

fault-document-failed-heading = We could not prepare this document
fault-document-failed-lead = No paper has come out. Nothing has been lost.
fault-document-failed-do = Ask for it at the office and give the code.
fault-document-failed-otherwise = Everything else works at this terminal.
fault-codes-heading = This terminal cannot issue documents at the moment
fault-codes-lead = It has run out of the codes that prove they are genuine.
fault-codes-do = Use another terminal or go to the office.
fault-codes-otherwise = Once the connection is back, you can print here.
fault-not-pre-issued-heading = This document has not been prepared for you
fault-not-pre-issued-lead = Nothing is wrong with your card or your PIN.
fault-not-pre-issued-do = Ask for it at the citizens’ office.
fault-not-pre-issued-otherwise = The same will happen at another terminal.
fault-document-expired-heading = The details for this document are out of date
fault-document-expired-lead = They were prepared too long ago. No paper has come out.
fault-document-expired-do = Ask for it at the citizens’ office.
fault-document-expired-otherwise = Once the connection is back, you can print it here.
fault-too-old-heading = The details in this terminal are old
fault-too-old-lead = So today we cannot issue documents or ask for your PIN.
fault-too-old-do = Ask for the document at another terminal or at the office.
fault-too-old-otherwise = Your balance and top-ups do work.
fault-record-missing-heading = We cannot find your details in this terminal
fault-record-missing-lead = Your balance is fine and your card works.
fault-record-missing-do = Try again tomorrow or go to the office.
fault-record-missing-otherwise = If the card is new, your details will arrive by themselves.
fault-record-corrupt-heading = We could not open your details
fault-record-corrupt-lead = Your balance is fine and you will not lose anything.
fault-record-corrupt-do = Go to the office and give the code.
fault-record-corrupt-otherwise = The same will happen at another terminal.
fault-record-stale-heading = Your details changed recently
fault-record-stale-lead = This terminal does not have them yet. You have not used up a try.
fault-record-stale-do = Come back tomorrow or go to the office.
fault-record-stale-otherwise = You can still see your balance and your services.
fault-cache-heading = This terminal is loading its data
fault-cache-lead = Your balance is fine and your card works.
fault-cache-do = Wait a few minutes or use another terminal.
fault-cache-otherwise = If nothing has changed tomorrow, call us and give the code.

## The PIN

fault-pin-locked-heading = Your PIN is locked
fault-pin-locked-lead = It was entered wrongly too many times. You can still use your balance.
fault-pin-locked-do = The office can unlock it if you bring your identity document.
fault-pin-locked-otherwise = Without a PIN you cannot print documents. You can still top up.
fault-pin-never-set-heading = Your card does not have a PIN yet
fault-pin-never-set-lead = The PIN protects your documents.
fault-pin-never-set-do = Ask for one at the office. You will get it straight away.
fault-pin-never-set-otherwise = Your balance, your services and top-ups work without a PIN.

## The terminal itself

fault-journal-heading = This cannot be done here at the moment
fault-journal-lead = A technician has to check the terminal. Nothing has been lost.
fault-journal-do = Use another terminal or go to the office.
fault-journal-otherwise = You can still see your balance and your services here.
fault-disk-heading = This terminal cannot store any more data
fault-disk-lead = You have not been charged and nothing has been lost.
fault-disk-do = Use another terminal or go to the office.
fault-disk-otherwise = You can still see your balance and your services here.
fault-clock-heading = The clock of this terminal is wrong
fault-clock-lead = Without the right time we take no payments and issue no documents. Nothing is lost.
fault-clock-do = Use another terminal or go to the office.
fault-clock-otherwise = You can still see your balance and your services here.
fault-other-heading = Something went wrong
fault-other-lead = Nothing has been lost.
fault-other-do = Try again or use another terminal.
fault-other-otherwise = If it happens again, call us and give the code.
