# The terminal can serve nobody.
closed-title = Terminal ciudadanu
closed-heading = Esti terminal nun funciona agora
closed-reader = Nun pue lleer tarxetes. La so tarxeta y el so saldu tán bien.
closed-out-of-order = Tamos revisándolu. La so tarxeta y el so saldu tán bien.
closed-configuration = Fálta-y un axuste técnicu. La so tarxeta y el so saldu tán bien.
closed-other = La so tarxeta y el so saldu tán bien.
closed-terminal = Use otru terminal de la ciudá.
closed-office = O vaya a la oficina d’atención ciudadana.
