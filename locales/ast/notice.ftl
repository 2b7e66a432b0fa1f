# What is out of the ordinary, and what it means here.
notice-offline-title = Perdióse la conexón { $since }.
notice-offline-text = Los datos actualizáronse { $as-of }. { $days ->
    [0] Güei ye l’últimu día pa imprentar documentos equí.
    [one] Va poder imprentar documentos equí un día más.
   *[other] Va poder imprentar documentos equí { $days } díes más.
}
notice-offline-too-old = Los datos actualizáronse { $as-of }. Equí yá nun s’imprenten documentos.
notice-offline-no-data = Pue ver el so saldu, pero non los sos servicios.
notice-too-old-title = Los datos d’esti terminal son vieyos.
notice-too-old-text = Actualizáronse { $as-of }. Güei nun s’imprenten documentos equí.
notice-no-data-title = Esti terminal ta cargando los datos.
notice-no-data-text = Mentanto pue ver el so saldu, pero non los sos servicios.
notice-no-payment-title = Agora nun se pue recargar equí.
notice-no-payment-text = Pue ver el so saldu y los sos servicios.
notice-day-ending-title = Agora nun se pue recargar equí.
notice-day-ending-text = El llector de pagu ta pesllando’l día. Tarda unos minutos.
notice-blocked-title = Agora nun se pue recargar equí.
notice-blocked-text = Hai un pagu anterior ensin aclarar. Lo demás funciona.
notice-printer-absent = La impresora nun contesta.
notice-printer-paper = La impresora nun tien papel.
notice-printer-jam = La impresora ta atascada.
notice-printer-open = La impresora ta abierta.
notice-printer-fault = La impresora tien una avería.
notice-printer-text = Agora nun salen nin documentos nin recibos. Lo demás funciona.
notice-journal-title = Esti terminal espera una revisión.
notice-journal-text = Equí nun se recarga nin s’usa’l PIN. Lo demás funciona.
notice-disk-title = Esti terminal nun pue guardar más datos.
notice-disk-text = Equí nun se recarga nin s’usa’l PIN. Lo demás funciona.
notice-clock-title = El reló d’esti terminal nun va bien.
notice-clock-text = Equí nun se recarga nin s’usa’l PIN. Lo demás funciona.
notice-settled-title = La recarga pendiente de { $amount } ta fecha.
notice-settled-text = Yá ta nel so saldu.
notice-pending-title = La so recarga de { $amount } ta pendiente.
notice-pending-text = Códigu { $code }. Tamos aclarándola. ¿Dubies? Llame al { $telephone }.
notice-no-record-title = Nun atopamos los sos servicios.
notice-no-record-text = El so saldu sí funciona. Entrugue na oficina.
notice-no-record-online-title = Nun atopamos los sos servicios.
notice-no-record-online-text = El so saldu y la recarga sí funcionen. Entrugue na oficina.
notice-card-old-title = La so tarxeta ye de les primeres.
notice-card-old-text = Camúdenla por otra de baldre. Ónde: { $office }.
notice-general-title = Estos son los precios xenerales.
notice-general-text = Los sos puen ser otros. Entrugue na oficina.
notice-price-unknown-title = Nun conocemos la so tarifa nesti terminal.
notice-price-unknown-text = Ve los precios xenerales. Na oficina dícen-y los sos.
notice-purse-title = El saldu de la so tarxeta precisa una revisión.
notice-purse-text = Llévela a la oficina. Nun va perder nada.
notice-as-of-title = Datos actualizaos { $as-of }.
notice-as-of-text = Pue que camudaren dende entós.
