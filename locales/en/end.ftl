# The end of a visit.
end-take-card = Thank you. Take your card
end-take-card-lead = It is in the tray.
end-take-both = Thank you. Take your card
end-take-both-lead = It is in the tray. Take your papers too.
end-take-paper = Thank you. Take your papers
end-take-paper-lead = They have your details on them. Do not leave them here.
end-forgotten-card = Do not forget your card
end-forgotten-card-lead = It is still in the tray.
end-forgotten-both = Do not forget your card
end-forgotten-both-lead = It is still in the tray. Take your papers too.
end-forgotten-paper = Do not forget your papers
end-forgotten-paper-lead = Look where the paper comes out. They have your details on them.
end-taken = I have it
