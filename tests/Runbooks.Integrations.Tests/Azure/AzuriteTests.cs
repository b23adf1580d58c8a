using TestKit;

namespace Runbooks.Integrations.Tests.Azure;

[CollectionDefinition(nameof(AzuriteTests))]
public sealed class AzuriteTests : ICollectionFixture<Azurite>;
