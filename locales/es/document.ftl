# Official papers.
document-heading = ¿Qué documento necesita?
document-lead = Son gratuitos y se imprimen aquí mismo.
document-volante-individual = Volante de empadronamiento
document-volante-individual-hint = Dice dónde vive usted
document-volante-individual-question = ¿Imprimimos este volante?
document-volante-individual-after = Recoja el papel y no olvide su tarjeta.
document-name = Nombre
document-address = Domicilio
document-since = Fecha de inscripción
document-price = Precio
document-print = Imprimir el volante
document-printing = Imprimiendo su volante
document-printing-lead = Espere a que salga el papel entero.
document-printing-slip = Imprimiendo
document-printing-slip-lead = Espere a que salga el papel entero.
document-printed = Su volante ya está impreso
document-code = Código de verificación
