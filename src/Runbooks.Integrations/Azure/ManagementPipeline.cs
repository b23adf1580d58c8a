using Azure.Core;
using Azure.Core.Pipeline;
using Azure.ResourceManager;

namespace Runbooks.Integrations.Azure;

/// <summary>
/// Lends the pipeline of <see cref="ArmClient"/> to requests that the SDK has no typed method for: POST actions, etags,
/// resource types whose packages are not taken in.
/// </summary>
internal sealed class ManagementPipeline : ArmResource
{
    private ManagementPipeline(ArmClient client)
        : base(client, ResourceIdentifier.Root)
    {
    }

    public static HttpPipeline Of(TokenCredential credential, ArmClientOptions options) =>
        new ManagementPipeline(new ArmClient(credential, default, options)).Pipeline;
}
