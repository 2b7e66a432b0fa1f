# The end of a visit.
end-take-card = Gracias. Recoja su tarjeta
end-take-card-lead = Está en la bandeja.
end-take-both = Gracias. Recoja su tarjeta
end-take-both-lead = Está en la bandeja. Recoja también sus papeles.
end-take-paper = Gracias. Recoja sus papeles
end-take-paper-lead = Tienen sus datos. No los deje aquí.
end-forgotten-card = No olvide su tarjeta
end-forgotten-card-lead = Sigue en la bandeja.
end-forgotten-both = No olvide su tarjeta
end-forgotten-both-lead = Sigue en la bandeja. Recoja también sus papeles.
end-forgotten-paper = No olvide sus papeles
end-forgotten-paper-lead = Mire en la salida de papel. Tienen sus datos.
end-taken = Ya lo tengo
