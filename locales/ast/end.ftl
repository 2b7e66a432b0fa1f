# The end of a visit.
end-take-card = Gracies. Cueya la so tarxeta
end-take-card-lead = Ta na bandexa.
end-take-both = Gracies. Cueya la so tarxeta
end-take-both-lead = Ta na bandexa. Cueya tamién los papeles.
end-take-paper = Gracies. Cueya los sos papeles
end-take-paper-lead = Tienen los sos datos. Nun los dexe equí.
end-forgotten-card = Nun escaeza la so tarxeta
end-forgotten-card-lead = Sigue na bandexa.
end-forgotten-both = Nun escaeza la so tarxeta
end-forgotten-both-lead = Sigue na bandexa. Cueya tamién los papeles.
end-forgotten-paper = Nun escaeza los sos papeles
end-forgotten-paper-lead = Mire na salida del papel. Tienen los sos datos.
end-taken = Yá lu tengo
