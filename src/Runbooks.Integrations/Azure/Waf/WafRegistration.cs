using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Azure.Waf;

public static class WafRegistration
{
    /// <summary>The action <c>waf.blockSignature</c>, for the policies of Front Door and of Application Gateway.</summary>
    public static IServiceCollection AddWaf(this IServiceCollection services) => services.AddAzure().AddSingleton<IAction, BlockSignature>();
}
