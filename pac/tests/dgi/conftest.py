from hypothesis import settings

# A machine under load makes single examples slow; that is no defect of the rules tested here.
settings.register_profile("dgi", deadline=None)
settings.load_profile("dgi")
