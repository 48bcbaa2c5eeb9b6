runMediaHelper()
