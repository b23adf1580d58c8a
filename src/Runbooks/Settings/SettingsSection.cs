using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Runbooks.Settings;

/// <summary>One section of the settings, and the class that it is read into.</summary>
public sealed record SettingsSection(string Name, Type Options);

public static class SettingsServices
{
    /// <summary>Reads a section of the settings into a class, and makes its keys known: others beside them are refused.</summary>
    public static OptionsBuilder<T> AddSettings<T>(this IServiceCollection services, string section)
        where T : class
    {
        services.AddSingleton(new SettingsSection(section, typeof(T)));
        return services.AddOptions<T>().BindConfiguration(section);
    }
}
