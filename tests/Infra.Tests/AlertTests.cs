using System.Text.Json.Nodes;
using Runbooks.Model.Incidents;
using Runbooks.Watchdog;
using TestKit;

namespace Infra.Tests;

public class AlertTests
{
    [Fact]
    public async Task Webhook_IsGuardedByEntraAndSpeaksTheCommonSchema()
    {
        var group = await GroupAsync("-runbooks");
        var receiver = group["webhookReceivers"]!.AsArray().ShouldHaveSingleItem()!;

        ((bool)receiver["useAadAuth"]!).ShouldBeTrue();
        ((bool)receiver["useCommonAlertSchema"]!).ShouldBeTrue();
        ((string)receiver["serviceUri"]!).ShouldEndWith(".azurewebsites.net/api/secure/alerts/azure-monitor", Case.Sensitive, "no key in it");
        group["azureFunctionReceivers"]!.AsArray().ShouldBeEmpty();
    }

    /// <summary>The name of people's address runs out some day, or its certificate does: from then on every alert would be lost before it reaches the app, and nothing there would tell.</summary>
    [Fact]
    public async Task Alerts_GoToTheAppsOwnName()
    {
        var group = (await Plan.OfAsync(Plan.Production, file => file.Replace("  contactEmails: [", "  functionReceiver: true\n  contactEmails: [", StringComparison.Ordinal)))
            .All("Microsoft.Insights/actionGroups").Single(group => group.Name.EndsWith("-runbooks", StringComparison.Ordinal)).Properties;

        ((string)group["webhookReceivers"]![0]!["serviceUri"]!).ShouldMatch(@"^https://func-[a-z0-9-]+\.azurewebsites\.net/api/secure/alerts/azure-monitor$");
        ((string)group["azureFunctionReceivers"]![0]!["httpTriggerUrl"]!).ShouldMatch(@"'https://func-[a-z0-9-]+\.azurewebsites\.net'");
        group.Where(list => list.Key.EndsWith("Receivers", StringComparison.Ordinal)).SelectMany(list => list.Value!.AsArray()).Select(receiver => (string)receiver!["name"]!)
            .ShouldBeUnique("a name is one receiver's in its action group");
    }

    /// <summary>A system that is down cannot report that it is down.</summary>
    [Fact]
    public async Task AlertsAboutTheSystem_GoToPeopleNotThroughIt()
    {
        var plan = await Plan.OfAsync(Plan.Production);
        var about = plan.All("Microsoft.Insights/scheduledQueryRules").Where(rule => rule.Name.StartsWith("runbooks-", StringComparison.Ordinal)).ToList();

        about.Select(rule => rule.Name).ShouldBe(
            ["runbooks-incident-failed", "runbooks-incident-stuck", "runbooks-approval-undelivered", "runbooks-dead-man", "runbooks-intake-errors"],
            ignoreOrder: true);
        about.ShouldAllBe(rule => ((string)rule.Properties["actions"]!["actionGroups"]![0]!).EndsWith("-people", StringComparison.Ordinal));
        (await GroupAsync("-people"))["emailReceivers"]!.AsArray().Count.ShouldBe(2);
    }

    /// <summary>Links in messages open nothing when the name no longer leads here or the certificate is over, and nothing inside notices.</summary>
    [Theory]
    [InlineData("param publicUrl = 'https://runbooks.example.com'", "param publicUrl = 'https://runbooks.example.com'", 1)]
    [InlineData("param publicUrl = 'https://runbooks.example.com'\n", "", 0)]
    [InlineData("  contactEmails: [", "  watchPublicUrl: false\n  contactEmails: [", 0)]
    public async Task AddressOfPeople_IsLookedAtFromOutside(string given, string written, int looks)
    {
        var plan = await Plan.OfAsync(Plan.Production, file => file.Replace(given, written, StringComparison.Ordinal));

        plan.All("Microsoft.Insights/webtests").Count().ShouldBe(looks);
        var rules = plan.All("Microsoft.Insights/metricAlerts").Where(rule => rule.Name == "runbooks-public-address").ToList();
        rules.Count.ShouldBe(looks);
        foreach (var (look, rule) in plan.All("Microsoft.Insights/webtests").Zip(rules))
        {
            ((string)look.Properties["Request"]!["RequestUrl"]!).ShouldBe("https://runbooks.example.com/healthz");
            ((bool)look.Properties["ValidationRules"]!["SSLCheck"]!).ShouldBeTrue();
            ((string)rule.Properties["actions"]![0]!["actionGroupId"]!).ShouldEndWith("-people");
        }
    }

    /// <summary>Nothing else tells that the app is down.</summary>
    [Fact]
    public async Task WithoutAMailAddress_NothingIsDeployed() =>
        (await Record.ExceptionAsync(() => Plan.OfAsync(Plan.Development, file => file.Replace("['ml-platform@example.com']\n", "[]\n", StringComparison.Ordinal))))!
            .Message.ShouldContain("Error BCP333", customMessage: "the list is too short");

    /// <summary>An alert that waits for an event nobody writes is an alert that never comes.</summary>
    [Fact]
    public void EveryEventTheAlertsWaitFor_IsWrittenByTheApp()
    {
        var written = Directory.EnumerateFiles(RepositoryRoot.Of("src"), "Log.cs", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();

        SignalEvents().Where(name => !written.Any(log => log.Contains($"partial void {name}(", StringComparison.Ordinal)))
            .ShouldBeEmpty();
        typeof(IncidentWatchdog).Name.ShouldBe((string)Signals()["watchFunction"]!, "the timer function carries the watch's name");
    }

    [Fact]
    public async Task IncidentFailed_IsToldFromOtherEndings()
    {
        (await QueryAsync("runbooks-incident-failed")).ShouldBe(
            """
            union isfuzzy=true (datatable(TimeGenerated: datetime, Properties: dynamic)[]), AppTraces, AppExceptions
            | extend event = tostring(Properties.EventName), state = tostring(Properties.State)
            | where event == "Ended" and state =~ "Failed" or event == "UndoFailed"
            | extend about = coalesce(tostring(Properties.IncidentId), tostring(Properties.Name), event)
            """, StringCompareShould.IgnoreLineEndings);
        Enum.IsDefined(IncidentState.Failed).ShouldBeTrue();
    }

    [Fact]
    public async Task EventsWithoutAState_AreAskedForByNameAlone() =>
        (await QueryAsync("runbooks-incident-stuck")).ShouldContain("| where event == \"WatchdogFound\" or event == \"WatchFailed\" or event == \"RecordUnreadable\" or event == \"Unhealthy\" or event == \"SecretMissing\"\n");

    /// <summary>A fired alert fires no more until it is over, and a damaged record is told of each minute for months: it must not keep the next one quiet.</summary>
    [Theory]
    [InlineData("runbooks-incident-failed")]
    [InlineData("runbooks-incident-stuck")]
    [InlineData("runbooks-approval-undelivered")]
    public async Task EachTroubleOfEachIncident_IsAnAlertOfItsOwn(string rule) =>
        (await RuleAsync(rule)).Properties["criteria"]!["allOf"]![0]!["dimensions"]!.AsArray().Select(dimension => (string)dimension!["name"]!).ShouldBe(["event", "about"]);

    /// <summary>The query tells alerts apart by values of the log lines: an event of neither is about the system, and one alert.</summary>
    [Fact]
    public void EventsOfAnIncident_CarryItsId()
    {
        var lines = Directory.EnumerateFiles(RepositoryRoot.Of("src"), "Log.cs", SearchOption.AllDirectories).SelectMany(File.ReadAllLines).ToList();

        SignalEvents().Where(name => !lines.Any(line => line.Contains($"partial void {name}(", StringComparison.Ordinal) && (line.Contains("string incidentId", StringComparison.Ordinal) || line.Contains("string name", StringComparison.Ordinal))))
            .ShouldBe(["Unhealthy"]);
    }

    /// <summary>Azure Monitor repeats a post after 503 and 504, and after no other answer: each other one is a lost alert, also the first.</summary>
    [Fact]
    public async Task AlertThatIsRefused_IsMailed()
    {
        (await QueryAsync("runbooks-intake-errors")).ShouldBe(
            """
            union isfuzzy=true (datatable(TimeGenerated: datetime, Url: string, ResultCode: string, ItemCount: int)[]), AppRequests
            | where Url has "/alerts/" and (ResultCode in ("401", "403", "404") or toint(ResultCode) >= 500)
            | summarize refused = sum(ItemCount) by answer = ResultCode
            | where refused > 2 or answer !in ("503", "504")
            """, StringCompareShould.IgnoreLineEndings);
        var criterion = (await RuleAsync("runbooks-intake-errors")).Properties["criteria"]!["allOf"]![0]!;
        ((string?)criterion["metricMeasureColumn"], (int)criterion["threshold"]!, (string?)criterion["dimensions"]![0]!["name"]).ShouldBe(("refused", 0, "answer"));
    }

    /// <summary>Otherwise a key that is changed refuses every alert until the next deployment.</summary>
    [Fact]
    public async Task FunctionReceiver_CarriesTheKeyThatIsNamed()
    {
        (await UrlAsync("functionReceiver: true")).ShouldContain("functionKeys.default)");
        (await UrlAsync("functionReceiver: true\n  functionKeyName: 'intake2'")).ShouldContain("functionKeys.intake2)");

        static async Task<string> UrlAsync(string receiver) =>
            (string)(await Plan.OfAsync(Plan.Development, file => file.Replace("functionReceiver: false", receiver, StringComparison.Ordinal)))
                .All("Microsoft.Insights/actionGroups").Single(group => group.Name.EndsWith("-runbooks", StringComparison.Ordinal))
                .Properties["azureFunctionReceivers"]![0]!["httpTriggerUrl"]!;
    }

    /// <summary>A table of a workspace is there once a row for it came: not when the first deployment makes the rules.</summary>
    [Fact]
    public async Task RulesOfAWorkspaceWithoutTables_CanBeDeployedAndEvaluated()
    {
        var rules = (await Plan.OfAsync(Plan.Production)).All("Microsoft.Insights/scheduledQueryRules").ToList();

        rules.ShouldEach(rule => (bool)rule.Properties["skipQueryValidation"]!);
        rules.Where(rule => ScopeOf(rule).Contains("/Microsoft.OperationalInsights/workspaces/", StringComparison.OrdinalIgnoreCase))
            .ShouldEach(rule => QueryOf(rule).TrimStart().StartsWith("union isfuzzy=true (datatable(TimeGenerated: datetime, ", StringComparison.Ordinal));
    }

    /// <summary>A component knows its tables by the names of Application Insights, a workspace by those of Log Analytics.</summary>
    [Fact]
    public async Task Rule_NamesTablesAsItsScopeKnowsThem()
    {
        string[] classic = ["requests", "dependencies", "exceptions", "traces", "customEvents", "customMetrics", "pageViews", "availabilityResults", "performanceCounters"];
        foreach (var rule in (await Plan.OfAsync(Plan.Production)).All("Microsoft.Insights/scheduledQueryRules"))
        {
            var words = QueryOf(rule).Split([' ', '\n', '\r', ',', '(', ')', '|', '.'], StringSplitOptions.RemoveEmptyEntries);
            var isComponent = ScopeOf(rule).Contains("/Microsoft.Insights/components/", StringComparison.OrdinalIgnoreCase);

            words.Any(word => classic.Contains(word, StringComparer.Ordinal)).ShouldBe(isComponent, rule.Name);
            words.Any(word => word.StartsWith("App", StringComparison.Ordinal) || word is "Properties" or "UserId" or "InsightsMetrics").ShouldBe(!isComponent, rule.Name);
        }
    }

    [Fact]
    public async Task EveryRule_AlsoReportsThatItIsOver()
    {
        var plan = await Plan.OfAsync(Plan.Production);

        plan.All("Microsoft.Insights/metricAlerts").Concat(plan.All("Microsoft.Insights/scheduledQueryRules"))
            .ShouldEach(rule => (bool)rule.Properties["autoMitigate"]!);
    }

    private static JsonObject Signals() => JsonNode.Parse(File.ReadAllText(RepositoryRoot.Of("infra", "signals.json")))!.AsObject();

    private static IEnumerable<string> SignalEvents() =>
        Signals().Select(signal => signal.Value).OfType<JsonArray>().SelectMany(signal => signal).Select(of => (string)of!["event"]!);

    private static async Task<PlannedResource> RuleAsync(string name) =>
        (await Plan.OfAsync(Plan.Production)).All("Microsoft.Insights/scheduledQueryRules").Single(one => one.Name == name);

    private static async Task<string> QueryAsync(string rule) => QueryOf(await RuleAsync(rule));

    private static string QueryOf(PlannedResource rule) => (string)rule.Properties["criteria"]!["allOf"]![0]!["query"]!;

    private static string ScopeOf(PlannedResource rule) => (string)rule.Properties["scopes"]![0]!;

    private static async Task<JsonObject> GroupAsync(string suffix) =>
        (await Plan.OfAsync(Plan.Production)).All("Microsoft.Insights/actionGroups")
            .Single(group => group.Name.EndsWith(suffix, StringComparison.Ordinal)).Properties;
}
