"""S3 over libcurl: signing, one request, answers read, the contract on top."""
