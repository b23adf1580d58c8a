namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>Budget alerts: no rule, no severity and no targets, so the budget gives its name and its scope.</summary>
internal static class CostContext
{
    private static readonly string[] Noted =
        ["SpentAmount", "BudgetThreshold", "NotificationThresholdAmount", "ForecastedTotalForPeriod", "Unit", "BudgetStartDate"];

    public static void Read(Payload context, AzureFacts facts)
    {
        var budget = context["AlertData"];
        if (!budget.IsObject)
        {
            return;
        }

        facts.Name = budget["BudgetName"].Line(AlertLimits.Name);
        facts.Scope = budget["Scope"].Line(AlertLimits.Resource)?.TrimEnd('/') is { Length: > 0 } scope ? scope : null;
        facts.Labels
            .Add("alertCategory", context["AlertCategory"])
            .Add("budgetName", budget["BudgetName"])
            .Add("budgetType", budget["BudgetType"])
            .Add("thresholdType", budget["ThresholdType"]);
        foreach (var field in Noted)
        {
            facts.Annotations.Add(char.ToLowerInvariant(field[0]) + field[1..], budget[field]);
        }
    }
}
