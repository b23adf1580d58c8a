using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Runbooks.Settings;

/// <summary>One section of the settings, and the class that it is read into.</summary>
public sealed record SettingsSection(string Name, Type Options);

public static class SettingsServices
{
    /// <summary>Reads a section of the settings into a class, and makes its keys known: others beside them are refused, and values that its annotations do not allow.</summary>
    public static OptionsBuilder<T> AddSettings<T>(this IServiceCollection services, string section)
        where T : class
    {
        services.AddSingleton(new SettingsSection(section, typeof(T)));
        return services.AddOptions<T>().BindConfiguration(section).ValidateDataAnnotations().ValidateOnStart();
    }
}

/// <summary>What runbooks may read of this host.</summary>
public sealed class RunbookSettingsOptions
{
    public const string SectionName = "Runbooks";

    /// <summary>By name, what runbooks read as <c>{{ settings.NAME }}</c>: the cluster or region that this host looks after. No secrets: they are on cards and in the record.</summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.OrdinalIgnoreCase);
}

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
