using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Alerts;

namespace Runbooks.Tests.Intake.Parsing;

internal static class Readers
{
    /// <summary>The reader as a host gets it.</summary>
    public static AlertReader BuiltIn { get; } = new(new ServiceCollection().AddAlerts()
        .Where(service => service.ServiceType == typeof(IAlertParser))
        .Select(service => (IAlertParser)Activator.CreateInstance(service.ImplementationType!)!));

    public static ParsedAlerts Read(string source, string json) => BuiltIn.Read(source, Encoding.UTF8.GetBytes(json));

    public static Alert ReadOne(string source, string json) => Read(source, json).Alerts.ShouldHaveSingleItem();
}
