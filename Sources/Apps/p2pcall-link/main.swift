runLink()
