# What is out of the ordinary, and what it means here.
notice-offline-title = Sin conexión desde { $since }.
notice-offline-text = Los datos se actualizaron { $as-of }. { $days ->
    [0] Hoy es el último día para imprimir documentos aquí.
    [one] Podrá imprimir documentos aquí un día más.
   *[other] Podrá imprimir documentos aquí { $days } días más.
}
notice-offline-too-old = Los datos se actualizaron { $as-of }. Aquí ya no se imprimen documentos.
notice-offline-no-data = Puede ver su saldo, pero no sus servicios.
notice-too-old-title = Los datos de este terminal son antiguos.
notice-too-old-text = Se actualizaron { $as-of }. Hoy no se imprimen documentos aquí.
notice-no-data-title = Este terminal está cargando los datos.
notice-no-data-text = Mientras tanto puede ver su saldo, pero no sus servicios.
notice-no-payment-title = Ahora no se puede recargar aquí.
notice-no-payment-text = El lector de pago no responde. Lo demás funciona.
notice-day-ending-title = Ahora no se puede recargar aquí.
notice-day-ending-text = El lector de pago está cerrando el día. Tarda unos minutos.
notice-blocked-title = Ahora no se puede recargar aquí.
notice-blocked-text = Un pago anterior está sin aclarar. Lo demás funciona.
notice-printer-absent = La impresora no responde.
notice-printer-paper = La impresora no tiene papel.
notice-printer-jam = La impresora está atascada.
notice-printer-open = La impresora está abierta.
notice-printer-fault = La impresora tiene una avería.
notice-printer-text = Ahora no salen documentos ni recibos. Lo demás funciona.
notice-journal-title = Este terminal espera una revisión.
notice-journal-text = Aquí no se recarga ni se usa el PIN. Lo demás funciona.
notice-disk-title = Este terminal no puede guardar más datos.
notice-disk-text = Aquí no se recarga ni se usa el PIN. Lo demás funciona.
notice-clock-title = El reloj de este terminal está mal.
notice-clock-text = Aquí no se recarga ni se usa el PIN. Lo demás funciona.
notice-settled-title = Su recarga pendiente de { $amount } está hecha.
notice-settled-text = Ya está en su saldo.
notice-pending-title = Su recarga de { $amount } está pendiente.
notice-pending-text = Código { $code }. La estamos aclarando. ¿Dudas? Llame al { $telephone }.
notice-no-record-title = No encontramos sus servicios.
notice-no-record-text = Su saldo sí funciona. Pregunte en la oficina.
notice-no-record-online-title = No encontramos sus servicios.
notice-no-record-online-text = Su saldo y la recarga sí funcionan. Pregunte en la oficina.
notice-card-old-title = Su tarjeta es de las primeras.
notice-card-old-text = Se la cambian gratis. Dónde: { $office }.
notice-general-title = Estos son los precios generales.
notice-general-text = Los suyos pueden ser otros. Pregunte en la oficina.
notice-price-unknown-title = No conocemos su tarifa en este terminal.
notice-price-unknown-text = Ve los precios generales. En la oficina le dicen los suyos.
notice-purse-title = El saldo de su tarjeta necesita una revisión.
notice-purse-text = Llévela a la oficina. No perderá nada.
notice-as-of-title = Datos actualizados { $as-of }.
notice-as-of-text = Pueden haber cambiado desde entonces.
