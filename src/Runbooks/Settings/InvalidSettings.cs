using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Runbooks.Settings;

/// <summary>Settings that keep a host from starting. Asked before it starts, which would end with a stack trace at the first.</summary>
public static class InvalidSettings
{
    public static IReadOnlyList<OptionsValidationException> Find(IServiceProvider services)
    {
        try
        {
            services.GetRequiredService<IStartupValidator>().Validate();
            return [];
        }
        catch (OptionsValidationException invalid)
        {
            return [invalid];
        }
        catch (AggregateException several) when (several.InnerExceptions.All(inner => inner is OptionsValidationException))
        {
            return [.. several.InnerExceptions.Cast<OptionsValidationException>()];
        }
    }
}
