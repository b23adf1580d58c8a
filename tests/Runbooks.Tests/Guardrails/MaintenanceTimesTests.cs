using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Guardrails;

namespace Runbooks.Tests.Guardrails;

/// <summary>When a window begins first and last, as people write it.</summary>
public sealed class MaintenanceTimesTests
{
    [Theory]
    [InlineData("Start", null, "it has no Start")]
    [InlineData("Start", "0001-01-01T00:00:00", "it has no Start")]
    [InlineData("Start", "2026-11-01T02:00:00Z", "its Start has a time zone of its own")]
    [InlineData("Start", "2026-11-01T02:00:00+01:00", "its Start has a time zone of its own")]
    [InlineData("Name", null, "Safety:Windows:0 (): it has no Name")]
    public void SettingOfAWindowThatWouldBeUnderstoodWrongly_StopsTheStart(string key, string? value, string problem)
    {
        var settings = new Dictionary<string, string?> { ["Name"] = "db patching", ["Start"] = "2026-11-01T02:00:00", ["Duration"] = "4h", ["TimeZone"] = "Europe/Berlin" };
        Options(settings).Windows.ShouldHaveSingleItem();
        settings[key] = value;

        Should.Throw<OptionsValidationException>(() => Options(settings)).Message.ShouldContain(problem);
    }

    [Fact]
    public void StartOfTheFileThatIsNoTime_IsAnErrorAtItsPlace() =>
        MaintenanceFile.Read("windows.yaml", "windows:\n  - name: move\n    start: 0001-01-01T00:00\n    duration: 1h\n    timeZone: Europe/Berlin")
            .Errors.ShouldHaveSingleItem().ToString().ShouldStartWith("windows.yaml:3:12  windows[0].start  is '0001-01-01T00:00'.");

    private static SafetyOptions Options(Dictionary<string, string?> window) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(window.ToDictionary(one => $"Safety:Windows:0:{one.Key}", one => one.Value)).Build())
        .AddGuardrails()
        .BuildServiceProvider().GetRequiredService<IOptions<SafetyOptions>>().Value;
}
