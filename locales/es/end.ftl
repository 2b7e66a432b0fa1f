# The end of a visit.
end-take-card = Gracias. Recoja su tarjeta
end-take-card-lead = Está en la bandeja. Recoja también sus papeles.
end-farewell = Gracias. Hasta pronto
end-farewell-lead = Su visita ya no está en la pantalla.
end-take-card-only = Está en la bandeja.
