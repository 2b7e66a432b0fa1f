# Maintenance: what a technician reads. Never about a citizen.
service-heading = Maintenance of terminal { $number }
service-lead = { $place }. Version { $version }.
service-menu = Back to maintenance
service-all-well-title = There are no faults.
service-all-well-text = All devices are responding.
service-faults-title = There are { $count } faults.
service-faults-text = See them under ‘State of the devices’.
service-off-title = The terminal is out of service.

service-self-test = Guided test
service-self-test-hint = Five steps and a report
service-state = State of the devices
service-state-hint = Each device, with its code
service-paper = Paper change
service-paper-hint = Resets the count of sheets
service-claims = Claims and uploads
service-claims-hint = What is still open
service-switch-off = Take out of service
service-switch-off-hint = With a reason for the public
service-switch-on = Return to service
service-switch-on-hint = The terminal can be used again
service-more = More tasks
service-more-hint = Copy to USB, ruler, restart
service-more-heading = What do you want to do?
service-export = Copy logs to a USB stick
service-export-hint = Logs and pending uploads
service-ruler = Measure the screen
service-ruler-hint = With a ruler of 100 mm
service-restart = Restart the program
service-restart-hint = Takes less than a minute

service-works = Works
service-fails = Does not work ({ $code })
service-silent = No sound
service-not-tested = Not tested
service-not-told = Not reported
service-part-works = Works: { $part }
service-part-fails = Does not work: { $part }
service-part-reader = Card reader
service-part-payment = Payment terminal
service-part-printer = Printer
service-part-sound = Sound
service-part-network = Connection to the central server
service-part-feed = City data
service-part-journal = Terminal journal
service-part-clock = Clock
service-part-disk = Disk

service-do = What to do
service-do-reader = Check the reader’s cable. Then repeat the test.
service-do-payment = Check the payment terminal’s power and network cable.
service-do-printer = Check the printer’s power and cable.
service-do-paper = Add paper and record it under ‘Paper change’.
service-do-jam = Open the printer and remove the jammed paper.
service-do-open = Close all covers of the printer.
service-do-print = Switch the printer off and on. Then repeat the test.
service-do-sound = Check the volume and the loudspeaker’s cable.
service-do-network = Check the network cable and the router.
service-do-feed = Check the connection. The data arrives by itself.
service-do-enrol = Have the terminal enrolled again with the city.
service-do-journal = Do not delete anything. Tell the control centre: a journal was set aside.
service-do-clock = Check the computer’s time and its connection.
service-do-disk = Copy the logs to a USB stick and tell the control centre.
service-do-unanswered = Wait a minute and try again.
service-do-other = Write down the code and tell the control centre.

service-program = Program
service-running-since = Started { $since }
service-feed-issued = Data published
service-codes = Verification codes
service-disk-free = Free space
service-set-aside = Journals set aside
service-megabytes = { $size } MB
service-kilobytes = { $size } kB
service-milliseconds = { $time } ms
service-sheets = Sheets printed
service-sheets-count = { $count ->
    [one] one sheet
   *[other] { $count } sheets
}
service-sheets-since = Paper last changed { $since }
service-sheets-ever = Since it was installed

service-testing = Testing: { $part }
service-testing-reader = Leave your card in the tray.
service-testing-payment = Nothing is charged.
service-testing-printer = We are asking the printer for its state.
service-testing-network = We are asking the central server.
service-heard = Did you hear the sound?
service-heard-lead = It has just played once, through the loudspeaker.
service-heard-yes = Yes, I heard it
service-heard-no = No, I did not hear it
service-heard-again = Play it again
service-next = Continue
service-repeat = Repeat the test
service-found-model = Model
service-found-terminal = Payment terminal identity
service-found-receipt = Last receipt
service-found-took = Answered in
service-found-clock = Clock
service-clock-right = On time
service-clock-ahead = { $seconds } s ahead
service-clock-behind = { $seconds } s behind
service-ready = The terminal is ready
service-not-ready = The terminal is not ready
service-report-print = Print the report
service-report-out = The report is where the paper comes out.
service-report-failed = The report did not come out ({ $code }).
service-report-printing = Printing the report
service-report-printing-lead = It is one sheet. Wait a moment.
service-report-title = Test report of terminal { $number }
service-report-place = Place: { $place }
service-report-when = Date and time: { $when }
service-report-version = Program version: { $version }
service-report-signature = Technician’s name and signature

service-paper-heading = Is the paper in?
service-paper-lead = The count of sheets goes back to zero.
service-paper-sheets-title = Check that no sheets are left inside.
service-paper-sheets-text = They may show names. Tear them up or hand them in at the office.
service-paper-changed = Yes, and no sheets are left inside

service-claims-none = There are no open top-ups.
service-claims-lead = Each open top-up, with the code that the card holder has.
service-outbox = Uploads to the central server
service-outbox-count = { $count ->
    [0] none pending
    [one] one pending
   *[other] { $count } pending
}
service-outbox-since = Oldest recorded { $since }
service-age = { $days ->
    [0] From today
    [1] From yesterday
   *[other] From { $days } days ago
}
service-claim-hint = { $age }. { $state }.
service-claim-card = The card has not been seen yet
service-claim-payment = The payment terminal has not answered yet
service-claim-central = The central server decides
service-claim-under-way = Under way

service-export-heading = Connect a USB stick
service-export-lead = The technical logs and the pending uploads will be copied.
service-export-care-title = The copy belongs to the city.
service-export-care-text = Give it only to the control centre and do not leave it here.
service-export-start = Copy now
service-export-again = Try again
service-exporting = Copying to the USB stick
service-exporting-lead = Do not remove it yet.
service-exported = The copy is complete
service-exported-lead = You can remove the stick now.
service-export-files = Files
service-export-size = Size
service-export-no-stick = We cannot find a USB stick
service-export-no-stick-lead = Connect it, wait a few seconds and try again.
service-export-full = The USB stick is full
service-export-full-lead = Make room or use another one. Nothing has been deleted.
service-export-failed = The USB stick could not be written
service-export-failed-lead = It may have been removed, or be protected. Try another one.

service-ruler-heading = Is the bar 100 mm long?
service-ruler-lead = Hold a ruler against it. Saving restarts the program.
service-ruler-value = { $scale } pixels per millimetre
service-ruler-shorter = Shorter
service-ruler-longer = Longer
service-ruler-save = It is 100 mm: save

service-reasons-heading = Why is it being taken out of service?
service-reasons-lead = The reason is shown on the screen. Nobody can use the terminal.
service-reason = Reason: { $reason }.
service-reason-repair = under repair
service-reason-paper = there is no paper
service-reason-reader = the card reader is broken
service-reason-vandalism = the terminal is damaged
service-reason-other = another fault

service-restart-heading = Restart the program?
service-restart-lead = Nothing is lost. Open top-ups continue afterwards.
service-restart-confirm = Restart now
service-money-moves-title = A payment is in progress.
service-money-moves-text = Wait until it ends.
service-restarting = The program is restarting
service-restarting-lead = It takes less than a minute. Take your card.
service-keeping = Saving the change
service-keeping-lead = Wait a moment.
service-failed-keeping = The change was not saved
service-failed-restart = The program was not restarted
service-failed-lead = Everything is as it was.
